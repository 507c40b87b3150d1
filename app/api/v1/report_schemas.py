"""The shape of a report with everything behind it."""

import datetime
from typing import Literal

from pydantic import BaseModel, Field

from app.api.v1.chat_schemas import AnswerTimesRead, MessageRead
from app.api.v1.schemas import DeliveryRead, ObjectionGradeWord, ReportRead


class CheckRead(BaseModel):
    """The model's answer to one check of the rubric."""

    id: str = Field(description="Имя проверки в файле критериев.", examples=["questions_closed"])
    answer: Literal["y", "n", "na"] = Field(description="y — да, n — нет, na — не применимо.")


class ObjectionRead(BaseModel):
    """The buyer's objection."""

    text: str = Field(description="Слова клиента дословно.")
    message: MessageRead = Field(description="Сообщение, в котором они стоят.")


class QuoteRead(BaseModel):
    """Words that stand behind a grade."""

    text: str = Field(description="Слова из сообщения дословно.")
    repaired: bool = Field(description="Модель назвала другое сообщение или чуть другие слова; здесь — как в переписке.")
    message: MessageRead = Field(description="Сообщение, в котором они стоят.")


class CriterionRead(BaseModel):
    """One criterion: its grade and what it stands on."""

    criterion: str = Field(description="Имя критерия в файле критериев.", examples=["tonality"])
    label: str = Field(description="Название критерия.", examples=["Тональность"])
    grade: ObjectionGradeWord = Field(description="Оценка, выведенная из проверок.")
    model_grade: ObjectionGradeWord = Field(description="Оценка, которую назвала сама модель.")
    checks: list[CheckRead] = Field(description="Проверки, из которых выведена оценка.")
    quotes: list[QuoteRead] = Field(description="Цитаты, каждая сверена с перепиской.")
    flags: list[str] = Field(description="Почему человеку стоит взглянуть на эту оценку.", examples=[["нет подтверждающей цитаты"]])


class AdviceRead(BaseModel):
    """One recommendation."""

    text: str = Field(description="Совет.")
    message_id: int | None = Field(description="Номер сообщения, о котором он; null — модель не назвала его верно.")


class WindowRead(BaseModel):
    """The messages that were graded."""

    first: MessageRead = Field(description="Первое из них.")
    last: MessageRead = Field(description="Последнее из них.")
    count: int = Field(description="Сколько их, без системных.")


class TokensRead(BaseModel):
    """What the model has read and written."""

    prompt_hit: int = Field(description="Прочитано из кэша DeepSeek.")
    prompt_miss: int = Field(description="Прочитано мимо кэша.")
    completion: int = Field(description="Написано.")


class MailRead(BaseModel):
    """The mail that carried a report, and who got it."""

    date: datetime.date = Field(description="Дата письма.")
    subject: str = Field(description="Тема письма.")
    deliveries: list[DeliveryRead] = Field(description="Кому ушло письмо.")


class ReportDetail(ReportRead):
    """A report with everything behind it; the list's sixteen fields come first."""

    kind: Literal["grading", "regrade"] = Field(
        description="regrade — повторная оценка для сравнения: её нет ни в GET /reports, ни в письмах."
    )
    account: str = Field(description="Имя аккаунта.")
    account_id: int = Field(description="Номер аккаунта на Авито.")
    run_id: int = Field(description="Запуск, который создал отчёт.")
    score: float = Field(description="Балл от 0 до 100: среднее по применимым критериям, где оценки дают 100, 50 и 0.")
    criteria: list[CriterionRead] = Field(description="Шесть критериев: проверки и цитаты за каждой оценкой.")
    objection: ObjectionRead | None = Field(description="Возражение клиента; null — его не было.")
    advice: list[AdviceRead] = Field(description="Рекомендации по одной, с номерами сообщений.")
    flags: list[str] = Field(description="Почему человеку стоит взглянуть на отчёт.")
    window: WindowRead = Field(description="Какие сообщения оценены.")
    answer_times: AnswerTimesRead | None = Field(
        description="Сколько клиент ждал ответов в оценённом разговоре к моменту отчёта; null — отчёт создан, когда этого ещё не считали."
    )
    model: str = Field(description="Модель, которая ставила оценки.")
    fingerprint: str | None = Field(description="Отпечаток её сборки.")
    prompt_version: str = Field(description="Версия вопроса к модели и критериев.")
    tokens: TokensRead = Field(description="Сколько токенов ушло.")
    cost_usd: float | None = Field(description="Сколько это стоило в долларах; null — цена модели не известна.")
    mail: MailRead | None = Field(description="Первое письмо, в котором отчёт ушёл; null — ещё не уходил.")
