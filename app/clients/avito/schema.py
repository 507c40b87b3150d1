"""Avito's chats, messages and listings. Values that Avito may omit are optional."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from app.domain.placeholders import (
    COMPLETED_CALL,
    MISSED_CALL,
    Placeholder,
    find_placeholder,
    read_call_status,
)

Direction = Literal["in", "out"]
"""``in``: from the buyer to the company's account; ``out``: from the company.

Avito does not report which employee wrote a message.
"""


@dataclass(frozen=True, slots=True)
class AvitoSelf:
    """The account of the keys; ``id`` is the ``user_id`` of every messenger call."""

    id: int
    name: str | None


class AvitoMessage(NamedTuple):
    """One message. It is a tuple because a sync creates one for each message that it reads.

    ``text`` was written by a person or by Avito's bot. It is None for messages without text, see
    ``describe``, and for those that a placeholder hides. ``type`` is Avito's, except for hidden
    messages, see ``HIDDEN_AS``. ``created_at`` has whole seconds, so several messages may share it.
    ``content`` and ``quote`` are Avito's own objects.
    """

    id: str
    author_id: int | None
    direction: Direction | None
    type: str
    text: str | None
    content: dict[str, Any]
    created_at: datetime
    is_read: bool | None
    read_at: datetime | None
    quote: dict[str, Any] | None
    is_system: bool
    """Written by Avito, neither by the buyer nor by the company."""

    @property
    def is_placeholder(self) -> bool:
        """Whether Avito withholds the text because the plan is not paid.

        Such a message must not be stored.
        """
        return find_placeholder(self.content.get("text")) is Placeholder.PLAN_MISSING


@dataclass(frozen=True, slots=True)
class AvitoChat:
    """One chat.

    - ``client_…``: the user who is not the account.
    - ``item_…``: the listing of the chat, if any.
    - ``raw``: the whole object.
    """

    id: str
    chat_type: str
    """``u2i``: about a listing; ``u2u``: without a listing; ``a2u``: from Avito."""
    created_at: datetime | None
    updated_at: datetime | None
    item_id: int | None
    item_title: str | None
    item_url: str | None
    item_owner_id: int | None
    """The account that offers the listing. Another id than the own one: the account is the buyer.
    """
    price: str | None
    """Avito's own format with the currency: ``300 000 ₽``."""
    client_id: int | None
    client_name: str | None
    client_url: str | None
    last_message: AvitoMessage | None
    raw: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AvitoItem:
    """One listing of the account."""

    id: int
    title: str | None
    price: int | None
    """Roubles."""
    category: str | None
    address: str | None
    status: str | None
    url: str | None


@dataclass(frozen=True, slots=True)
class ChatPage:
    """A page of chats, newest activity first.

    ``unreadable`` counts the chats without a usable id.
    """

    chats: tuple[AvitoChat, ...]
    has_more: bool
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class MessagePage:
    """A page of messages in Avito's order, newest first.

    ``unreadable`` counts the messages without a usable id or time. A chat with unreadable messages
    is not copied in full.
    """

    messages: tuple[AvitoMessage, ...]
    has_more: bool
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class ItemPage:
    """A page of listings."""

    items: tuple[AvitoItem, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class AvitoHint:
    """A webhook's message event: account and chat in which a message was written.

    Nothing else of a webhook is trusted. The chat itself is read over REST.
    """

    user_id: int
    chat_id: str
    chat_type: str | None


_DESCRIPTIONS = {
    "image": "[фото]",
    "voice": "[голосовое сообщение]",
    "file": "[файл]",
    "video": "[видео]",
    "deleted": "[сообщение удалено]",
    "unsupported": "[сообщение видно только в мессенджере Авито]",
    "call": "[звонок]",
    "appCall": "[звонок]",
}
_CALLS = {
    MISSED_CALL: "[пропущенный звонок]",
    **dict.fromkeys(COMPLETED_CALL, "[состоявшийся звонок]"),
}
_LABELS = {
    "link": ("ссылка", "text", "url"),
    "location": ("геолокация", "text", "title"),
    "item": ("объявление", "title", "item_url"),
}


def describe(message: AvitoMessage) -> str:
    """Return the message as text; without text, a short description in square brackets."""
    kind = message.type
    if message.text is not None:
        return message.text
    if (call := _CALLS.get(read_call_status(kind, message.content) or "")) is not None:
        return call
    if kind in _LABELS:
        label, *fields = _LABELS[kind]
        return _add_label(label, message.content.get(kind), *fields)
    return _DESCRIPTIONS.get(kind, f"[неизвестный тип: {kind[:40]}]")


def _add_label(label: str, details: object, *fields: str) -> str:
    known = details if isinstance(details, dict) else {}
    text = next(
        (line for field in fields if (line := " ".join(str(known.get(field) or "").split()))), None
    )
    return f"[{label}: {text}]" if text else f"[{label}]"
