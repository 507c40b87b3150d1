"""Schemas of what stands behind the grades of a report: checks, quotes, faults and flags."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from app.api.v1.chat_schemas import MessageRead
from app.api.v1.schemas import ObjectionGradeWord
from app.domain.contradiction import ContradictionKind
from app.domain.timeliness import FIRST_ANSWER_WITHIN, LATER_ANSWER_WITHIN


class CheckRead(BaseModel):
    """The answer to one check of the rubric."""

    id: str = Field(description="Имя проверки в рубрике.", examples=["questions_closed"])
    text: str | None = Field(
        description=(
            "Что она спрашивает, словами рубрики, по которой поставлена оценка; null —"
            " отчёт создан, когда эти слова ещё не сохраняли."
        ),
        examples=["Нет грубости, сарказма, упрёков, давления."],
    )
    answer: Literal["y", "n", "na"] = Field(description="y — да, n — нет, na — не применимо.")
    computed: bool = Field(
        description=(
            "true — ответ вычисляет программа (время ответов, возражения без ответа, последний"
            " вопрос), false — отвечает модель."
        ),
        examples=[False],
    )


Shown = Annotated[
    str,
    Field(
        description="Они же для людей: с «…» там, где вырваны из предложения.",
        examples=["…ещё продаётся?"],
    ),
]


class FlagRead(BaseModel):
    """A reason for a person to look at a grade or at the report."""

    code: str = Field(description="Код пометки.", examples=["no_evidence"])
    label: str = Field(description="Она же по-русски.", examples=["нет подтверждающей цитаты"])


class ObjectionRead(BaseModel):
    """An objection of the buyer."""

    text: str = Field(description="Слова клиента дословно.", examples=["у других дешевле"])
    shown: Shown
    message: MessageRead = Field(description="Сообщение, в котором они стоят.")
    answered: bool | None = Field(
        default=None,
        description=(
            "Ответил ли продавец на него по делу; null — отчёт создан, когда этого ещё не хранили."
        ),
        examples=[True],
    )


class CriticalRead(BaseModel):
    """A critical fault of the seller."""

    fault: str = Field(description="Имя ошибки.", examples=["outside_payment"])
    label: str = Field(
        description="Она же по-русски.", examples=["давление, чтобы платили мимо Авито"]
    )
    text: str = Field(description="Слова продавца дословно.", examples=["только на карту вперёд"])
    shown: Shown
    message: MessageRead = Field(description="Сообщение, в котором они стоят.")


class LateAnswerRead(BaseModel):
    """An answer that came too late, found by the times of the messages."""

    message: MessageRead = Field(description="Поздний ответ.")
    seconds: int = Field(
        description="Сколько рабочего времени ждал клиент, в секундах.", examples=[4200]
    )
    limit_seconds: int = Field(
        description="Сколько можно было, в секундах (answer_limits).",
        examples=[3600],
    )
    is_first: bool = Field(description="Первый ли это ответ в разговоре.", examples=[True])


class AnswerLimitsRead(BaseModel):
    """The working time in which an answer is in time. The values are those of this release."""

    first_answer_seconds: int = Field(
        default=int(FIRST_ANSWER_WITHIN.total_seconds()),
        description="Первый ответ в разговоре, секунды.",
        examples=[3600],
    )
    later_answer_seconds: int = Field(
        default=int(LATER_ANSWER_WITHIN.total_seconds()),
        description="Каждый следующий, секунды.",
        examples=[10800],
    )


class QuoteRead(BaseModel):
    """A quote that supports a grade."""

    text: str = Field(description="Слова из сообщения дословно.", examples=["ещё продаётся?"])
    shown: Shown
    repaired: bool = Field(
        description=(
            "Модель назвала другое сообщение или чуть другие слова; здесь — как в переписке."
        ),
        examples=[False],
    )
    message: MessageRead = Field(description="Сообщение, в котором они стоят.")


class CriterionRead(BaseModel):
    """One criterion: its grade, checks and quotes."""

    criterion: str = Field(description="Имя критерия в рубрике.", examples=["tonality"])
    label: str = Field(description="Название критерия.", examples=["Тональность"])
    grade: ObjectionGradeWord = Field(
        description="Оценка, выведенная из проверок; её ограничивают критические ошибки.",
        examples=["Высокая"],
    )
    limited_by: list[FlagRead] = Field(
        description="Критические ошибки продавца, с которыми оценка не бывает лучше.",
        examples=[[{"code": "insult", "label": "оскорбление покупателя"}]],
    )
    model_grade: ObjectionGradeWord = Field(
        description="Оценка, которую назвала сама модель.", examples=["Высокая"]
    )
    checks: list[CheckRead] = Field(description="Проверки, из которых выведена оценка.")
    reasoning: str | None = Field(
        description="Одно предложение модели, почему такие ответы; null — его нет.",
        examples=["Продавец поздоровался и ответил вежливо."],
    )
    quotes: list[QuoteRead] = Field(description="Цитаты, каждая сверена с перепиской.")
    flags: list[FlagRead] = Field(description="Почему человеку стоит взглянуть на эту оценку.")


class SaidRead(BaseModel):
    """Words of the seller that contradict the listing or the company's facts."""

    message_id: int = Field(description="Номер сообщения, в котором они стоят.", examples=[284])
    quote: str = Field(description="Слова дословно.", examples=["Цена 39 900 рублей"])


class SourceRead(BaseModel):
    """The words that they contradict."""

    quote: str = Field(
        description="Цена или название из объявления, или слова из данных компании.",
        examples=["34 900 ₽"],
    )


class ContradictionRead(BaseModel):
    """A price, a size or a year that contradicts the listing or the company's facts."""

    kind: ContradictionKind = Field(
        description="Что расходится: price — цена, size — размер, year — год.", examples=["price"]
    )
    said: SaidRead = Field(description="Что сказал продавец.")
    source: SourceRead = Field(description="С чем это расходится.")


class GradedListingRead(BaseModel):
    """The listing as the model saw it."""

    title: str | None = Field(description="Название.", examples=["Диван угловой «Бергамо»"])
    price: str | None = Field(description="Цена.", examples=["34 900 ₽"])
    category: str | None = Field(description="Категория.", examples=["Мебель и интерьер"])
    address: str | None = Field(description="Адрес.", examples=["Москва, Садовая улица, 5"])
