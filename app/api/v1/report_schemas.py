"""Schema of a report with its evidence."""

from typing import Literal

from pydantic import BaseModel, Field

from app.api.v1.chat_schemas import AnswerTimesRead, ContactRead, MessageRead
from app.api.v1.evidence_schemas import (
    AnswerLimitsRead,
    ContradictionRead,
    CriterionRead,
    CriticalRead,
    FlagRead,
    GradedListingRead,
    LateAnswerRead,
    ObjectionRead,
)
from app.api.v1.mail_schemas import MailRead
from app.api.v1.review_schemas import ReviewRead
from app.api.v1.schemas import ReportRead
from app.domain.grades import Grade
from app.domain.score import POINTS


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
            " оценки они не влияют. Список пуст и тогда, когда к проверяющему обращается объявление"
            " (это сказано в отметке), и в отчётах, созданных, когда сообщений ещё не запоминали."
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
