"""Avito's chats, messages and listings as we know them. Whatever Avito may leave out is optional
here.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

PLAN_PLACEHOLDER = "Перейдите на подписку с API мессенджера, чтобы получить доступ к чатам"
"""What stands in place of a message's text while the plan with the messenger's API is not paid."""

Direction = Literal["in", "out"]
"""``in``: from the client to the company's account; ``out``: from the company. Nothing says which
employee wrote it.
"""


@dataclass(frozen=True, slots=True)
class AvitoSelf:
    """The account that the keys belong to; ``id`` is the ``user_id`` of every messenger call."""

    id: int
    name: str | None


@dataclass(frozen=True, slots=True)
class AvitoMessage:
    """One message. ``text`` is what a person or Avito's robot wrote; what has no text has None, see
    ``describe``.

    ``created_at`` has whole seconds, so neighbours may share it. ``content`` and ``quote`` are
    Avito's own objects.
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
    """Neither the client's nor the company's: written by Avito itself."""

    @property
    def is_placeholder(self) -> bool:
        """Whether Avito withholds the text for want of a paid plan; such a message is not to be
        stored.
        """
        return is_plan_placeholder(self.content.get("text"))


@dataclass(frozen=True, slots=True)
class AvitoChat:
    """One chat. ``client_…`` is the user who is not the account; ``item_…`` the listing it is
    about, if any; ``raw`` all of it.
    """

    id: str
    chat_type: str
    """``u2i`` about a listing, ``u2u`` without one, ``a2u`` from Avito itself."""
    created_at: datetime | None
    updated_at: datetime | None
    item_id: int | None
    item_title: str | None
    item_url: str | None
    price: str | None
    """As Avito writes it, with the currency: ``300 000 ₽``."""
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
    status: str | None
    url: str | None


@dataclass(frozen=True, slots=True)
class ChatPage:
    """A page of chats, newest activity first; ``unreadable`` counts those that came without a
    usable id.
    """

    chats: tuple[AvitoChat, ...]
    has_more: bool
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class MessagePage:
    """A page of messages as they came, newest first; ``unreadable`` counts those without a usable
    id or time.

    A chat with unreadable messages is not copied in full.
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
    """What a webhook is believed: something was written in this chat of this account. The chat
    itself is read over REST.
    """

    user_id: int
    chat_id: str
    chat_type: str | None


def is_plan_placeholder(text: object) -> bool:
    """Whether a message's text is the sentence that Avito shows instead of it while the plan is not
    paid.
    """
    return isinstance(text, str) and " ".join(text.split()).rstrip(".") == PLAN_PLACEHOLDER


_WORDS = {
    "image": "[фото]",
    "voice": "[голосовое сообщение]",
    "file": "[файл]",
    "video": "[видео]",
    "deleted": "[сообщение удалено]",
}
_LABELS = {
    "link": ("ссылка", "text", "url"),
    "location": ("геолокация", "text", "title"),
    "item": ("объявление", "title", "item_url"),
}


def describe(message: AvitoMessage) -> str:
    """The message in words: its text, or for what has none a few words in square brackets."""
    kind = message.type
    if message.text is not None:
        return message.text
    if kind == "call" and _call_status(message.content) == "missed":
        return "[пропущенный звонок]"
    if kind in _LABELS:
        label, *fields = _LABELS[kind]
        return _labelled(label, message.content.get(kind), *fields)
    return _WORDS.get(kind, f"[неизвестный тип: {kind[:40]}]")


def _labelled(label: str, details: object, *fields: str) -> str:
    known = details if isinstance(details, dict) else {}
    words = next(
        (line for field in fields if (line := " ".join(str(known.get(field) or "").split()))), None
    )
    return f"[{label}: {words}]" if words else f"[{label}]"


def _call_status(content: dict[str, Any]) -> object:
    # The document knows no other status; another one must not be told as a missed call.
    call = content.get("call")
    return call.get("status", "missed") if isinstance(call, dict) else "missed"
