"""Schemas of a chat, its messages and its answer times."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.api.v1.review_schemas import ReviewRead
from app.api.v1.schemas import LocalMoment, ReportRead
from app.domain.author_kinds import AuthorKind
from app.domain.contact import ContactKind
from app.domain.substitutes import Substitute
from app.domain.waiting import WAITING_FOR_AT_MOST

_WAITING = (
    "С какого времени клиент ждёт ответа: когда он написал первое из сообщений, оставшихся без"
    f" ответа. null — не ждёт: ему ответили, он писал больше {WAITING_FOR_AT_MOST.days} дней"
    " назад, или компания здесь сама покупатель; так же считает ждущих письмо."
)


class MessageRead(BaseModel):
    """One message as text."""

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(
        description="Номер сообщения в этой службе; на него ссылаются отчёты.", examples=[281]
    )
    side: Literal["client", "company", "system"] = Field(
        description="Кто написал: клиент, компания или сам Авито."
    )
    type: str = Field(
        description=(
            "Тип сообщения на Авито; deleted — удалено, unsupported — Авито показывает его только в"
            " своём мессенджере."
        ),
        examples=["text"],
    )
    text: str = Field(
        description="Текст; у фото, голосового и прочего — слова в квадратных скобках.",
        examples=["Здравствуйте! Диван ещё продаётся?", "[фото]"],
    )
    has_text: bool = Field(description="Написан ли текст человеком.", examples=[True])
    sent_at: LocalMoment = Field(
        description="Когда отправлено, в REPORT_TIMEZONE.", examples=["2026-11-22T14:05:00+03:00"]
    )
    is_read: bool | None = Field(
        description="Прочитано ли; null — Авито не сказал.", examples=[True]
    )
    deleted_at: LocalMoment | None = Field(
        description="Когда замечено, что автор удалил сообщение; его слова сохранены.",
        examples=[None],
    )
    author_kind: AuthorKind = Field(
        description=(
            "Кто автор: client — клиент, person — человек компании, bot — автоответчик компании,"
            " assistant — уведомление об ответе ассистента Авито, unknown — возможно, автоответчик"
            " (считается человеком, пока таких сообщений мало), system — сам Авито. Автоответчик"
            " определяется по повторам и времени; с новыми чатами вид может измениться."
        ),
        examples=["person"],
    )
    author_reason: str | None = Field(
        description="Почему автор сообщения компании определён так; null — не определялся.",
        examples=["отправлено в темпе человека"],
    )


class AnswerTimesRead(BaseModel):
    """How long the buyer waited for answers."""

    model_config = ConfigDict(from_attributes=True)

    first_answer_seconds: int | None = Field(
        description=(
            "Секунд от первого сообщения клиента до первого ответа человека, только рабочее время"
            " (WORKING_HOURS). Автоответчик и ассистент Авито — не ответ."
        ),
        examples=[420],
    )
    longest_wait_seconds: int | None = Field(
        description=(
            "Самое долгое ожидание ответа в секундах рабочего времени, считая и то, что осталось"
            " без ответа."
        ),
        examples=[1140],
    )
    waiting_since: LocalMoment | None = Field(description=_WAITING, examples=[None])


class ContactRead(BaseModel):
    """A contact that was left, or an agreed meeting."""

    model_config = ConfigDict(from_attributes=True)

    kind: ContactKind = Field(
        description=(
            "meeting — договорились о встрече или визите, buyer — контакт оставил клиент, seller —"
            " контакт дал продавец. Встреча важнее контакта, контакт клиента важнее контакта"
            " продавца."
        ),
        examples=["meeting"],
    )
    message_id: int = Field(
        description="Сообщение, которое согласилось на встречу, или первое с контактом.",
        examples=[286],
    )


class ListingRead(BaseModel):
    """The listing of a chat as of its last reading."""

    title: str | None = Field(description="Название.", examples=["Диван угловой «Бергамо»"])
    price: str | None = Field(description="Цена, как её пишет Авито.", examples=["34 900 ₽"])
    category: str | None = Field(
        description="Категория; null — Авито её не дал.", examples=["Мебель и интерьер"]
    )
    address: str | None = Field(
        description="Адрес; null — Авито его не дал.", examples=["Москва, Садовая улица, 5"]
    )
    status: str | None = Field(
        description=(
            "Состояние на Авито: active — опубликовано, old — истёк срок, removed — удалено,"
            " blocked — заблокировано, rejected — отклонено; null — Авито его не дал. Модели не"
            " показывают."
        ),
        examples=["active"],
    )
    url: str | None = Field(
        description=(
            "Адрес страницы на Авито; null — Авито его не дал, или он ведёт на другой сайт."
        ),
        examples=["https://avito.ru/moskva/listing_4928810066"],
    )
    read_at: LocalMoment | None = Field(
        description=(
            "Когда прочитаны категория, адрес и состояние; название и цена — из чата, не старше"
            " последнего сообщения. null — Авито даёт только то, что есть в самом чате."
        ),
        examples=["2026-11-22T14:05:00+03:00"],
    )


class ModelAnswerRead(BaseModel):
    """An answer of the model that could not be used."""

    asked_at: LocalMoment = Field(
        description="Когда спрошено.", examples=["2026-11-22T20:03:10.120+03:00"]
    )
    complaint: str | None = Field(
        description="На что указано модели в повторном вопросе; null — вопрос первый.",
        examples=[None],
    )
    answer: str = Field(description="Ответ модели как есть.", examples=['{"criteria": {'])


class ChatRead(BaseModel):
    """A chat with its messages and its reports."""

    id: str = Field(
        description="Идентификатор чата на Авито.", examples=["u2i-f7227b263e8~7c8423dd6c9"]
    )
    account: str = Field(description="Имя аккаунта.", examples=["Лавка на Садовой"])
    account_id: int = Field(description="Номер аккаунта на Авито.", examples=[4900000001])
    title: str = Field(
        description="Название объявления.", examples=["Диван угловой «Бергамо» с ящиком"]
    )
    client_name: str = Field(description="Имя клиента.", examples=["Елена"])
    url: str | None = Field(
        description=(
            "Адрес объявления на Авито; null — Авито его не дал, или он ведёт на другой сайт."
        ),
        examples=["https://avito.ru/moskva/listing_4928810066"],
    )
    price: str | None = Field(
        description="Цена в объявлении, как её пишет Авито.", examples=["34 900 ₽"]
    )
    listing: ListingRead | None = Field(
        description="Объявление, о котором чат; null — чат без объявления."
    )
    type: str | None = Field(
        description="Тип чата: u2i — об объявлении, u2u — между пользователями.", examples=["u2i"]
    )
    history_complete: bool = Field(
        description=(
            "Скопирована ли переписка с первого сообщения; false — Авито отдаёт её не целиком или"
            " она ещё не прочитана."
        ),
        examples=[True],
    )
    waiting_since: LocalMoment | None = Field(description=_WAITING, examples=[None])
    unanswered_since: LocalMoment | None = Field(
        description=(
            "С какого времени сообщения клиента без ответа, как бы давно он ни писал; null —"
            " ему ответили (состоявшийся звонок — тоже ответ), или компания здесь сама покупатель."
        ),
        examples=[None],
    )
    missed_call_at: LocalMoment | None = Field(
        description=(
            "Последний пропущенный звонок клиента, после которого ему не ответили: перезвоните ему."
            " null — такого нет, или компания здесь сама покупатель."
        ),
        examples=[None],
    )
    outcome: Literal["graded", "skipped", "failed", "waiting"] | None = Field(
        description=(
            "Что с оценкой чата сейчас, как его считает письмо: оценён, оценивать нечего, ошибка,"
            " ждёт оценки (есть сообщения, которых оценка ещё не видела); null — люди в чате не"
            " писали, и Авито не сообщил, что чат создан клиентом."
        ),
        examples=["graded"],
    )
    outcome_reason: str | None = Field(
        description=(
            "Почему чат не оценён; null — оценён или просто ждёт очереди. «Разговор ещё идёт» —"
            " последним писал клиент, и с тех пор прошло меньше SETTLE_MINUTES рабочего времени."
        ),
        examples=[None, "нет ответа компании", "разговор ещё идёт"],
    )
    outcome_at: LocalMoment | None = Field(
        description=(
            "Когда его оценивали в последний раз, с любым исходом; null — ещё не оценивали."
        ),
        examples=["2026-11-22T20:03:11.402+03:00"],
    )
    answer_times: AnswerTimesRead = Field(
        description="Сколько клиент ждал ответов, за всю переписку."
    )
    first_human_answer_seconds: int | None = Field(
        description=(
            "То же, что answer_times.first_answer_seconds: до первого ответа человека, а не"
            " автоответчика или ассистента. null — человек не ответил."
        ),
        examples=[420],
    )
    answered_by: Substitute | None = Field(
        description=(
            "Кто ответил на сообщения, которые ждут человека: bot — автоответчик, assistant —"
            " ассистент Авито; null — никто, или клиент не ждёт."
        ),
        examples=[None],
    )
    contact: ContactRead | None = Field(
        description=(
            "Чем кончился последний разговор: контактом или встречей. Определяет программа, без"
            " модели. null — ни контакта, ни встречи, или компания здесь сама покупатель."
        ),
        examples=[None],
    )
    model_answers: list[ModelAnswerRead] = Field(
        description="Если оценить чат не удалось: что ответила модель; иначе пусто.", examples=[[]]
    )
    messages: list[MessageRead] = Field(description="Сообщения, старые первыми.")
    reports: list[ReportRead] = Field(description="Отчёты о чате, новые первыми.")
    reviews: list[ReviewRead] = Field(
        description="Проверки этих отчётов человеком, по report_id; отчётов без проверки здесь нет."
    )
