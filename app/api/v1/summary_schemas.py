"""Schemas of a summary: the same figures in total and by day, account and series.

The main ones of them are also given by listing, hour and weekday.
"""

import datetime

from pydantic import BaseModel, Field

from app.api.v1.breakdown_schemas import (
    FirstAnswerRead,
    HourBreakdown,
    ListingBreakdown,
    OtherListings,
    WeekdayBreakdown,
    WorstListing,
)
from app.domain.grades import Grade
from app.domain.thresholds import BAD_BELOW, ENOUGH_REPORTS, GOOD_FROM
from app.grading.corrected_share import SMALLEST
from app.services.digests.breakdowns import LISTINGS, WORST_LISTINGS

_SHARE = "доля от 0 до 1; null — ни в одном отчёте критерий не применим."


class CriterionSummary(BaseModel):
    """The distribution of one criterion's grades."""

    criterion: str = Field(description="Имя критерия.", examples=["objection_handling"])
    label: str = Field(description="Название критерия.", examples=["Работа с возражениями"])
    high: int = Field(description=f"Отчётов с оценкой «{Grade.HIGH}».", examples=[9])
    medium: int = Field(description=f"Отчётов с оценкой «{Grade.MEDIUM}».", examples=[4])
    low: int = Field(description=f"Отчётов с оценкой «{Grade.LOW}».", examples=[2])
    not_applicable: int = Field(
        description=f"Отчётов, к которым критерий не применим («{Grade.NONE}»).",
        examples=[32],
    )
    high_share: float | None = Field(
        description=f"«{Grade.HIGH}» среди отчётов, к которым критерий применим: {_SHARE}",
        examples=[0.6],
    )
    medium_share: float | None = Field(
        description=f"«{Grade.MEDIUM}» среди них же: {_SHARE}", examples=[0.2667]
    )
    low_share: float | None = Field(
        description=f"«{Grade.LOW}» среди них же: {_SHARE}", examples=[0.1333]
    )
    not_applicable_share: float | None = Field(
        description="Неприменимо, доля всех отчётов; null — отчётов нет.", examples=[0.6809]
    )


class RepeatedAnswerRead(BaseModel):
    """How often a second grading of the same chats differs."""

    n: int = Field(description="Чатов, оценённых дважды.", examples=[40])
    flipped: int = Field(description="Из них с другим ответом.", examples=[2])
    rate: float = Field(description="Их доля от 0 до 1.", examples=[0.05])
    interval: list[float] = Field(
        description="95-процентный доверительный интервал доли: от и до.",
        examples=[[0.0138, 0.1650]],
    )


class SteadinessRead(BaseModel):
    """How steady the model is: first against second grading."""

    criteria: dict[str, RepeatedAnswerRead] = Field(description="По критериям: оценки.")
    checks: dict[str, RepeatedAnswerRead] = Field(description="По проверкам: ответы.")


class ContactsRead(BaseModel):
    """How many chats led to a contact or a meeting."""

    count: int = Field(
        description=(
            "Отчётов, где клиент или продавец оставил контакт или договорились о встрече (contact в"
            " GET /reports/{id})."
        ),
        examples=[21],
    )
    n: int = Field(
        description="Среди скольких отчётов; созданные, когда этого не определяли, не в счёт.",
        examples=[47],
    )
    share: float | None = Field(
        description="Доля от 0 до 1; null — таких отчётов нет.", examples=[0.4468]
    )


class BotFirstRead(BaseModel):
    """How many chats a bot was the first to answer."""

    count: int = Field(
        description="Отчётов о чатах, где до первого ответа человека ответил автоответчик.",
        examples=[12],
    )
    n: int = Field(
        description="Среди скольких отчётов; созданные, когда этого не определяли, не в счёт.",
        examples=[47],
    )
    share: float | None = Field(
        description="Доля от 0 до 1; null — таких отчётов нет.", examples=[0.2553]
    )


class FiguresRead(BaseModel):
    """Figures of a selection of reports."""

    reports: int = Field(description="Отчётов.", examples=[47])
    chats: int = Field(description="Чатов, по которым они.", examples=[45])
    mean_score: float | None = Field(
        description="Средний балл от 0 до 100, как в письме; null — отчётов нет.", examples=[74.31]
    )
    bad_reports: int = Field(
        description=(
            f"Отчётов с баллом ниже {BAD_BELOW}; как и все доли, по отчётам, а не по чатам."
        ),
        examples=[9],
    )
    bad_share: float | None = Field(
        description="Их доля от 0 до 1; null — отчётов нет.", examples=[0.1915]
    )
    reviewed_reports: int = Field(
        description="Отчётов, проверенных человеком (PUT /reports/{id}/review).",
        examples=[3],
    )
    addressed_reports: int = Field(
        description=(
            "Отчётов, где текст переписки обращается к проверяющему: на их оценки стоит взглянуть"
            " самому."
        ),
        examples=[1],
    )
    unproven_reports: int = Field(
        description=(
            "Отчётов, где у высокой или низкой оценки нет подтверждающей цитаты: на них тоже стоит"
            " взглянуть самому."
        ),
        examples=[2],
    )
    critical_reports: int = Field(
        description="Отчётов с критической ошибкой продавца (critical в GET /reports/{id}).",
        examples=[1],
    )
    contradicting_reports: int = Field(
        description=(
            "Отчётов, где цена, размер или год в словах продавца расходятся с объявлением или"
            " данными компании (contradictions в GET /reports/{id})."
        ),
        examples=[1],
    )
    contacts: ContactsRead = Field(description="Чем кончаются разговоры: контактом или встречей.")
    bot_first: BotFirstRead = Field(description="Сколько чатов первым ответил автоответчик.")
    first_answer: FirstAnswerRead = Field(
        description="Сколько клиенты ждали первого ответа человека."
    )
    cost_usd: float | None = Field(
        description="Цена оценок, доллары; null — цена одной из моделей не известна.",
        examples=[0.0412],
    )
    criteria: list[CriterionSummary] = Field(
        description="Шесть критериев: сколько отчётов и какая доля с каждой оценкой."
    )


class CorrectedShareRead(BaseModel):
    """The share of bad reports corrected by blind labels."""

    share: float = Field(description="Доля плохих отчётов с поправкой, от 0 до 1.", examples=[0.22])
    low: float = Field(description="Нижняя граница 95-процентного интервала.", examples=[0.11])
    high: float = Field(description="Верхняя граница интервала.", examples=[0.36])
    labels: int = Field(description="По скольким оценкам людей вслепую поправка.", examples=[34])


class DayFigures(FiguresRead):
    """Figures of one day."""

    date: datetime.date = Field(
        description=(
            "День создания отчётов в REPORT_TIMEZONE; столбики письма — по датам писем, их числа"
            " даёт mail=ДАТА."
        ),
        examples=["2026-11-22"],
    )


class AccountFigures(FiguresRead):
    """Figures of one account."""

    account: str = Field(description="Имя аккаунта.", examples=["Лавка на Садовой"])
    account_id: int = Field(description="Номер аккаунта на Авито.", examples=[94235311])


class SeriesFigures(FiguresRead):
    """Figures of one model with one version of the rubric."""

    model: str = Field(description="Модель.", examples=["deepseek-flash"])
    prompt_version: str = Field(
        description="Версия вопроса к модели и рубрики.", examples=["82d565d89c94"]
    )


class SummaryRead(FiguresRead):
    """The summary: total figures and their breakdowns."""

    bad_share_corrected: CorrectedShareRead | None = Field(
        description=(
            f"Доля отчётов с баллом ниже {BAD_BELOW} с поправкой на ошибки модели: по оценкам людей"
            " вслепую (GET /labels) той же серии и, если назван account, того же аккаунта. С mail —"
            f" та же, что в письме. null — таких оценок меньше {SMALLEST}, отчётов нет, в них"
            " несколько серий или grades=reviewed."
        )
    )
    timezone: str = Field(description="Часовой пояс дней.", examples=["Europe/Moscow"])
    mixed_series: bool = Field(
        description=(
            "Отчёты оценены разными моделями или рубриками: баллы сравнимы только внутри одной из"
            " series."
        ),
        examples=[False],
    )
    message: str | None = Field(
        description="То же словами; null — оценивала одна модель с одной рубрикой.",
        examples=["Оценивали разные модели или рубрики: сравнивайте баллы внутри одной из series."],
    )
    steadiness: SteadinessRead = Field(
        description=(
            "Насколько модель повторяет себя: часть чатов (STEADINESS_SHARE) оценивается дважды."
        )
    )
    series: list[SeriesFigures] = Field(description="По модели и версии рубрики, первая первой.")
    days: list[DayFigures] = Field(description="По дням, старые первыми; дней без отчётов нет.")
    accounts: list[AccountFigures] = Field(description="По аккаунтам.")
    by_listing: list[ListingBreakdown] = Field(
        description=(
            f"По объявлениям, до {LISTINGS} с наибольшим числом отчётов; чаты без объявления — одна"
            " запись."
        )
    )
    other_listings: OtherListings = Field(description="Объявления, которые в by_listing не вошли.")
    worst_listings: list[WorstListing] = Field(
        description=(
            f"До {WORST_LISTINGS} объявлений с самым низким средним баллом из тех, о которых"
            f" отчётов не меньше {ENOUGH_REPORTS}, а балл ниже {GOOD_FROM}; те же, что в письме."
            " Объявлений без названия здесь нет."
        )
    )
    by_hour: list[HourBreakdown] = Field(
        description=(
            "По часу, в который клиент написал первое сообщение оценённого разговора, в"
            " REPORT_TIMEZONE; часов без отчётов нет."
        )
    )
    by_weekday: list[WeekdayBreakdown] = Field(
        description="По дню недели того же сообщения, с понедельника; дней без отчётов нет."
    )
