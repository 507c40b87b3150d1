"""Schemas of the mails that carry reports."""

import datetime

from pydantic import BaseModel, Field

from app.api.v1.schemas import DeliveryRead


class MailRead(BaseModel):
    """The mail that carried a report, and its deliveries."""

    date: datetime.date = Field(description="Дата письма.", examples=["2026-11-22"])
    subject: str = Field(
        description="Тема письма.",
        examples=["Авито-чаты 22.11: 74 (▼3) · 97 чатов · 4 ждут ответа"],
    )
    deliveries: list[DeliveryRead] = Field(description="Кому ушло письмо.")


class MailDayRead(BaseModel):
    """One date that has a mail."""

    date: datetime.date = Field(description="День.", examples=["2026-11-22"])
    mails: int = Field(description="Сколько писем за него составлено.", examples=[1])
    reports: int = Field(description="Сколько отчётов в них вместе.", examples=[41])
    resent: int = Field(description="Сколько раз эти отчёты отправляли повторно.", examples=[0])
