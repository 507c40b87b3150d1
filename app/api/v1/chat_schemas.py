"""The shapes of a chat, of its messages and of the answer times in it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.api.v1.schemas import LocalMoment, ReportRead


class MessageRead(BaseModel):
    """One message in words."""

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(description="Номер сообщения в этой службе; на него ссылаются отчёты.")
    side: Literal["client", "company", "system"] = Field(description="Кто написал: клиент, компания или сам Авито.")
    type: str = Field(description="Тип сообщения на Авито.", examples=["text"])
    text: str = Field(description="Текст; у фото, голосового и прочего — слова в квадратных скобках.", examples=["[фото]"])
    has_text: bool = Field(description="Написан ли текст человеком.")
    sent_at: LocalMoment = Field(description="Когда отправлено, в REPORT_TIMEZONE.", examples=["2026-11-22T14:05:00+03:00"])
    is_read: bool | None = Field(description="Прочитано ли; null — Авито не сказал.")
    deleted_at: LocalMoment | None = Field(description="Когда замечено, что автор удалил сообщение; его слова сохранены.")


class AnswerTimesRead(BaseModel):
    """How long the buyer waited."""

    model_config = ConfigDict(from_attributes=True)

    first_answer_seconds: int | None = Field(
        description="Секунд от первого сообщения клиента до первого ответа компании, только рабочее время (WORKING_HOURS)."
    )
    longest_wait_seconds: int | None = Field(
        description="Самое долгое ожидание ответа в секундах рабочего времени, считая и то, что ещё длится."
    )
    waiting_since: LocalMoment | None = Field(description="С какого времени клиент ждёт ответа; null — не ждёт.")


class ChatRead(BaseModel):
    """A chat with its messages and its reports."""

    id: str = Field(description="Идентификатор чата на Авито.", examples=["u2i-1a2b3c4d5e6~f7a8b9c0d1e"])
    account: str = Field(description="Имя аккаунта.")
    account_id: int = Field(description="Номер аккаунта на Авито.")
    title: str = Field(description="Название объявления.")
    client_name: str = Field(description="Имя клиента.")
    url: str | None = Field(description="Адрес объявления.")
    price: str | None = Field(description="Цена в объявлении, как её пишет Авито.", examples=["1 350 000 ₽"])
    type: str | None = Field(description="Тип чата: u2i — об объявлении, u2u — между пользователями.")
    history_complete: bool = Field(
        description="Скопирована ли переписка с первого сообщения; false — Авито отдаёт её не целиком или она ещё не прочитана."
    )
    waiting_since: LocalMoment | None = Field(description="С какого времени клиент ждёт ответа; null — последнее слово за компанией.")
    outcome: Literal["graded", "skipped", "failed", "waiting"] | None = Field(
        description="Чем кончилась последняя попытка оценить чат: оценён, оценивать нечего, ошибка, не дошла очередь; null — её не было."
    )
    outcome_reason: str | None = Field(description="Почему чат не оценён.", examples=["нет ответа компании"])
    outcome_at: LocalMoment | None = Field(description="Когда была эта попытка.")
    answer_times: AnswerTimesRead = Field(description="Сколько клиент ждал ответов, за всю переписку.")
    messages: list[MessageRead] = Field(description="Сообщения, старые первыми.")
    reports: list[ReportRead] = Field(description="Отчёты о чате, новые первыми.")
