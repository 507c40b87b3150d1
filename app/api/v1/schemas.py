"""Response schemas. Fields are in the order of the customer's document."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, WithJsonSchema
from typing_extensions import TypeAliasType

from app.clock import format_in_zone

GradeWord = TypeAliasType("GradeWord", Literal["Высокая", "Средняя", "Низкая"])
ObjectionGradeWord = TypeAliasType(
    "ObjectionGradeWord", Literal["Высокая", "Средняя", "Низкая", "Нет возражений"]
)
"""Named types: OpenAPI contains each of them once, as a component."""


def _convert_to_zone(moment: datetime, info: ValidationInfo) -> datetime:
    return moment.astimezone(info.context["zone"]) if info.context else moment


LocalMoment = Annotated[datetime, AfterValidator(_convert_to_zone)]
"""An aware time, converted to the ``zone`` of the validation context.

Without a context it is not converted.
"""


def _format_in_zone(moment: str, info: ValidationInfo) -> str:
    return format_in_zone(moment, info.context["zone"]) if info.context else moment


FormattedMoment = Annotated[
    str, AfterValidator(_format_in_zone), WithJsonSchema({"type": "string", "format": "date-time"})
]
"""``LocalMoment`` for a time that is stored as text, formatted as in the list of reports."""

MailDate = Annotated[str, WithJsonSchema({"type": "string", "format": "date"})]


class Failure(BaseModel):
    """The body of every error."""

    status: Literal["error"] = Field(description="Всегда error.")
    message: str = Field(
        description="Что случилось и что сделать.", examples=["Неверный или отсутствующий API Key."]
    )


class WrongParameter(BaseModel):
    """One invalid parameter of a request."""

    field: str = Field(description="Имя параметра.", examples=["start_date"])
    message: str = Field(description="Что с ним не так.", examples=["нужна дата ГГГГ-ММ-ДД"])


class InvalidRequest(Failure):
    """A 400: the invalid parameters."""

    errors: list[WrongParameter] = Field(description="Параметры, которые не подошли.")


class SyncResult(BaseModel):
    """The result of a sync."""

    status: Literal["success", "error"] = Field(description="Статус выполнения.")
    message: str = Field(
        description="Сообщение о результате операции.",
        examples=["Синхронизировано 97 чатов, новых сообщений: 204."],
    )
    synced_chats: int = Field(
        description="Сколько чатов после вызова совпадает с Авито, изменились они или нет.",
        examples=[97],
    )
    new_chats: int = Field(description="Из них новых.", examples=[12])
    updated_chats: int = Field(description="Сколько известных чатов пополнилось.", examples=[5])
    new_messages: int = Field(description="Сколько сообщений скопировано.", examples=[204])
    incomplete_chats: int = Field(
        description="Чаты, чью историю Авито отдаёт не целиком.", examples=[0]
    )


class AnalyzeResult(BaseModel):
    """The result of grading."""

    status: Literal["success", "error"] = Field(description="Статус выполнения.")
    analyzed_chats: int = Field(description="Сколько отчётов создал этот вызов.", examples=[41])
    message: str = Field(
        description="Сообщение о результате операции.",
        examples=["Создано: 41 отчёт; пропущено чатов: 3, с ошибкой: 0, ждут: 0."],
    )
    skipped_chats: int = Field(
        description="Чаты, которые этот вызов счёл непригодными для оценки.", examples=[3]
    )
    failed_chats: int = Field(description="Чаты, которые этот вызов не смог оценить.", examples=[0])
    waiting_chats: int = Field(
        description=(
            "Чаты, до которых очередь не дошла, где разговор ещё идёт (SETTLE_MINUTES) или у"
            " аккаунта которых не закончена первая синхронизация."
        ),
        examples=[0],
    )


class MailResult(BaseModel):
    """The result of a mailing."""

    status: Literal["success", "error"] = Field(description="Статус выполнения.")
    date: MailDate = Field(
        description="Дата, за которую отправлены отчёты.", examples=["2026-11-22"]
    )
    send_reports: int = Field(
        description="Сколько отчётов впервые дошло до получателя.", examples=[41]
    )
    message: str = Field(
        description="Сообщение о результате операции.", examples=["Отправлено: 2 письма, 41 отчёт."]
    )


class MailFailure(Failure):
    """A failed mailing. The document requires ``send_reports`` in this response as well."""

    date: MailDate | None = Field(
        None, description="Дата, за которую отправлялись отчёты.", examples=["2026-11-22"]
    )
    send_reports: int = Field(description="Сколько отчётов всё же дошло.", examples=[0])


class Accepted(BaseModel):
    """The response to ``Prefer: respond-async``."""

    status: Literal["success"] = Field(description="Запуск принят.")
    message: str = Field(
        description="Где следить за ним.", examples=["Запуск 12 принят: GET /api/v1/runs/12."]
    )


class ReportRead(BaseModel):
    """One report: the document's fifteen fields in its order, then the report's ID."""

    chat_id: str = Field(
        description="Уникальный идентификатор чата (Авито).",
        examples=["u2i-f7227b263e8~7c8423dd6c9"],
    )
    created_at: FormattedMoment = Field(
        description="Время создания отчёта в REPORT_TIMEZONE, ISO 8601 со смещением.",
        examples=["2026-11-22T20:03:11.402+03:00"],
    )
    chat_title: str = Field(
        description="Название объявления.", examples=["Диван угловой «Бергамо» с ящиком"]
    )
    client_name: str = Field(description="Имя клиента.", examples=["Елена"])
    total_messages: int = Field(description="Всего сообщений в чате, без системных.", examples=[8])
    company_messages: int = Field(description="Сообщений компании.", examples=[4])
    client_messages: int = Field(description="Сообщений клиента.", examples=[4])
    tonality_grade: GradeWord = Field(description="Оценка тональности.", examples=["Высокая"])
    professionalism_grade: GradeWord = Field(
        description="Оценка профессионализма.", examples=["Высокая"]
    )
    clarity_grade: GradeWord = Field(description="Оценка ясности.", examples=["Средняя"])
    problem_solving_grade: GradeWord = Field(
        description="Оценка решения проблем.", examples=["Высокая"]
    )
    objection_handling_grade: ObjectionGradeWord = Field(
        description="Оценка обработки возражений.", examples=["Нет возражений"]
    )
    closure_grade: GradeWord = Field(description="Оценка завершения.", examples=["Низкая"])
    summary: str = Field(
        description="Краткое резюме анализа.",
        examples=[
            "Клиент спросил о доставке и сборке. Компания ответила за 7 минут, но не назвала срок и"
            " не договорилась о следующем шаге."
        ],
    )
    recommendations: str = Field(
        description="Рекомендации, по одной в строке.",
        examples=[
            "Назовите срок доставки числом (сообщение от 22.11 в 14:12).\nНа «Я подумаю» предложите"
            " день и время."
        ],
    )
    id: int = Field(description="Номер отчёта в этой службе.", examples=[35])


class DeliveryRead(BaseModel):
    """State of the delivery to one recipient."""

    model_config = ConfigDict(from_attributes=True)

    recipient: str = Field(description="Адрес.", examples=["boss@example.ru"])
    state: Literal["queued", "sending", "sent", "failed"] = Field(
        description="queued — будет попытка, failed — окончательно.", examples=["sent"]
    )
    tries: int = Field(description="Сколько было попыток.", examples=[1])
    answer: str | None = Field(
        description="Последний ответ почтового сервера.", examples=["250 2.0.0 Ok: queued"]
    )
    sent_at: LocalMoment | None = Field(
        description="Когда сервер принял письмо.", examples=["2026-11-22T20:04:31+03:00"]
    )
    next_try_at: LocalMoment | None = Field(
        description="Когда будет следующая попытка.", examples=[None]
    )


class RunRead(BaseModel):
    """One run."""

    model_config = ConfigDict(from_attributes=True, validate_by_name=True)

    id: int = Field(description="Номер запуска.", examples=[12])
    kind: Literal["sync", "analyze", "mail", "daily"] = Field(
        description="Что делает.", examples=["mail"]
    )
    state: Literal["queued", "running", "done", "failed", "interrupted", "merged"] = Field(
        description="merged — пропущенный день, который выполнил более поздний запуск.",
        examples=["done"],
    )
    slot: str | None = Field(
        description="День или начало интервала; null — запустил человек.", examples=[None]
    )
    parent_id: int | None = Field(
        description="Ежедневный запуск, чьим шагом он был.", examples=[None]
    )
    done: int = Field(description="Сделано.", validation_alias="progress_done", examples=[2])
    total: int | None = Field(
        description="Всего; null — ещё не известно.",
        validation_alias="progress_total",
        examples=[2],
    )
    figures: dict[str, Any] = Field(
        description="Числа на этот момент.", examples=[{"date": "2026-11-22", "send_reports": 41}]
    )
    message: str | None = Field(
        description="Итог или ошибка.", examples=["Отправлено: 2 письма, 41 отчёт."]
    )
    created_at: LocalMoment = Field(
        description="Когда поставлен в очередь.", examples=["2026-11-22T20:04:29.120+03:00"]
    )
    started_at: LocalMoment | None = Field(
        description="Когда начат.", examples=["2026-11-22T20:04:29.161+03:00"]
    )
    finished_at: LocalMoment | None = Field(
        description="Когда окончен.", examples=["2026-11-22T20:04:31.803+03:00"]
    )


class RunDetail(RunRead):
    """One run with its steps and, for a mail, its deliveries."""

    steps: list[RunRead] = Field(description="Шаги ежедневного запуска.")
    deliveries: list[DeliveryRead] = Field(description="Кому ушло письмо этого запуска.")
