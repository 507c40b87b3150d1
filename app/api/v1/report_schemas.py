"""Schema of a report with its evidence."""

import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from app.api.v1.chat_schemas import AnswerTimesRead, ContactRead, MessageRead
from app.api.v1.review_schemas import ReviewRead
from app.api.v1.schemas import DeliveryRead, ObjectionGradeWord, ReportRead
from app.domain.contradiction import ContradictionKind
from app.domain.grades import Grade
from app.domain.score import POINTS
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
        description="Оценка, выведенная из проверок.", examples=["Высокая"]
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


class AdviceRead(BaseModel):
    """One recommendation."""

    text: str = Field(
        description="Совет.",
        examples=["Назовите срок доставки числом (сообщение от 22.11 в 14:12)."],
    )
    message_id: int | None = Field(
        description="Номер сообщения, о котором он; null — модель не назвала его верно.",
        examples=[284],
    )


class WindowRead(BaseModel):
    """The messages that were graded."""

    first: MessageRead = Field(description="Первое из них.")
    last: MessageRead = Field(description="Последнее из них.")
    count: int = Field(description="Сколько их, без системных.", examples=[8])


class TokensRead(BaseModel):
    """Tokens that the model read and wrote."""

    prompt_hit: int = Field(description="Прочитано из кэша DeepSeek.", examples=[1920])
    prompt_miss: int = Field(description="Прочитано мимо кэша.", examples=[640])
    completion: int = Field(description="Написано.", examples=[410])


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


class ReportDetail(ReportRead):
    """A report with its evidence; the sixteen fields of the list come first."""

    kind: Literal["grading", "regrade"] = Field(
        description=(
            "regrade — повторная оценка для сравнения: её нет ни в GET /reports, ни в письмах."
        )
    )
    account: str = Field(description="Имя аккаунта.", examples=["Лавка на Садовой"])
    account_id: int = Field(description="Номер аккаунта на Авито.", examples=[4900000001])
    run_id: int = Field(description="Запуск, который создал отчёт.", examples=[11])
    score: float = Field(
        description=(
            "Балл от 0 до 100: среднее по применимым критериям, где оценки дают"
            f" {POINTS[Grade.HIGH]}, {POINTS[Grade.MEDIUM]} и {POINTS[Grade.LOW]}."
        ),
        examples=[70.0],
    )
    criteria: list[CriterionRead] = Field(
        description="Шесть критериев: проверки и цитаты за каждой оценкой."
    )
    objection: ObjectionRead | None = Field(
        description="Первое возражение клиента; null — возражений не было.", examples=[None]
    )
    objections: list[ObjectionRead] = Field(description="Все возражения клиента.", examples=[[]])
    critical: list[CriticalRead] = Field(
        description="Критические ошибки продавца: они ограничивают оценки.", examples=[[]]
    )
    answer_limits: AnswerLimitsRead = Field(
        description="За сколько рабочего времени ответ считается вовремя."
    )
    late_answers: list[LateAnswerRead] = Field(
        description="Поздние ответы, старые первыми.", examples=[[]]
    )
    contact: ContactRead | None = Field(
        description=(
            "Контакт или встреча в оценённых сообщениях; null — ни того, ни другого, или отчёт"
            " создан, когда этого ещё не определяли."
        ),
        examples=[None],
    )
    contradictions: list[ContradictionRead] = Field(
        description=(
            "Где цена, размер или год в словах продавца расходятся с объявлением или данными"
            " компании. Определяет программа, без модели; сомнительное не считается."
        ),
        examples=[[]],
    )
    listing: GradedListingRead | None = Field(
        description=(
            "Объявление, каким оно было при оценке; null — чат без объявления, или отчёт создан,"
            " когда его ещё не сохраняли."
        )
    )
    advice: list[AdviceRead] = Field(description="Рекомендации по одной, с номерами сообщений.")
    flags: list[FlagRead] = Field(description="Почему человеку стоит взглянуть на отчёт.")
    grader_addressed_by: list[MessageRead] = Field(
        description=(
            "Сообщения, которые обращаются к проверяющему, старые первыми, не больше пяти; на"
            " оценки они не влияют. В отчётах, созданных, когда их ещё не запоминали, список пуст."
        ),
        examples=[[]],
    )
    window: WindowRead = Field(description="Какие сообщения оценены.")
    answer_times: AnswerTimesRead | None = Field(
        description=(
            "Сколько клиент ждал ответов в оценённом разговоре к моменту отчёта; null — отчёт"
            " создан, когда этого ещё не считали."
        )
    )
    model: str = Field(description="Модель, которая ставила оценки.", examples=["deepseek-flash"])
    fingerprint: str | None = Field(description="Отпечаток её сборки.", examples=["fp_8802369eaa"])
    prompt_version: str = Field(
        description="Версия вопроса к модели и рубрики.", examples=["3f2a9c81d0b4"]
    )
    tokens: TokensRead = Field(description="Сколько токенов ушло.")
    cost_usd: float | None = Field(
        description="Сколько это стоило в долларах; null — цена модели не известна.",
        examples=[0.000348],
    )
    review: ReviewRead | None = Field(description="Проверка отчёта человеком; null — её нет.")
    mail: MailRead | None = Field(
        description="Первое письмо, в котором отчёт ушёл; null — ещё не уходил."
    )
