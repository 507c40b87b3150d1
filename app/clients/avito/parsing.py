"""Parse Avito's JSON into types.

Avito omits the key of a missing value. Missing and invalid values become None.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from app.clients.avito.schema import (
    AvitoChat,
    AvitoHint,
    AvitoItem,
    AvitoMessage,
    Direction,
    is_plan_placeholder,
)
from app.clients.text import shorten

_CHAT_TYPES = ("u2i", "u2u", "a2u")
_SYSTEM_PREFIX = "[Системное сообщение]"
_SYSTEM_AUTHORS = (0, 1)  # Avito's bot: 0 over REST, 1 in webhooks
_KINDS_OF_CONTENT = ("text", "image", "link", "item", "location", "call", "voice")
_LARGEST_ID = 2**63 - 1
_LONGEST_CHAT_ID = 100  # three times the longest one observed; it becomes part of URLs
_LONGEST_ID = 255
_LONGEST_NAME = 200
_LONGEST_TYPE = 40
_LONGEST_URL = 2_000
_EARLIEST, _LATEST = 946_684_800, 4_102_444_800
"""Seconds: the years 2000 and 2100.

A time outside is invalid. Near the limits of the calendar some time zones could not show it.
"""


def parse_chat(raw: object, *, own_id: int, asked_types: Sequence[str] = ()) -> AvitoChat | None:
    """Parse a chat of the account ``own_id``; None if it has no usable id.

    ``asked_types`` are the chat types of the list's filter.
    """
    chat = _object(raw)
    chat_id = _identifier(chat.get("id"))
    if chat_id is None or len(chat_id) > _LONGEST_CHAT_ID:
        return None
    context = _object(chat.get("context"))
    item = _object(context.get("value")) if context.get("type", "item") == "item" else {}
    client = _client(chat.get("users"), own_id)
    return AvitoChat(
        id=chat_id,
        chat_type=_chat_type(chat_id, asked_types, has_item=bool(item)),
        created_at=_moment(chat.get("created")),
        updated_at=_moment(chat.get("updated")),
        item_id=integer(item.get("id")),
        item_title=name(item.get("title")),
        item_url=_url(item.get("url")),
        price=name(item.get("price_string")),
        client_id=integer(client.get("id")),
        client_name=name(client.get("name")),
        client_url=_url(_object(client.get("public_user_profile")).get("url")),
        last_message=parse_message(chat.get("last_message"), own_id=own_id),
        raw=dict(chat),
    )


def parse_message(raw: object, *, own_id: int) -> AvitoMessage | None:
    """Parse a message in a chat of the account ``own_id``; None without a usable id or time.

    The prefix of system messages is ignored in the company's own messages. Otherwise an employee
    could exclude messages from grading by typing the prefix.
    """
    message = _object(raw)
    message_id, created_at = _identifier(message.get("id")), _moment(message.get("created"))
    if message_id is None or created_at is None:
        return None
    content = dict(_object(message.get("content")))
    author_id = integer(message.get("author_id"))
    direction = _direction(message.get("direction"), author_id, own_id)
    # If the type is missing, the only key of the content determines it.
    message_type = (words(message.get("type")) or "")[:_LONGEST_TYPE] or next(
        (kind for kind in _KINDS_OF_CONTENT if content.get(kind)), "unknown"
    )
    text = words(content.get("text")) if message_type in ("text", "system") else None
    return AvitoMessage(
        id=message_id,
        author_id=author_id,
        direction=direction,
        type=message_type,
        text=None if is_plan_placeholder(text) else text,
        content=content,
        created_at=created_at,
        is_read=_flag(message.get("is_read", message.get("isRead"))),
        read_at=_moment(message.get("read")),
        quote=dict(_object(message.get("quote"))) or None,
        is_system=message_type == "system"
        or author_id in _SYSTEM_AUTHORS
        or (direction != "out" and (text or "").startswith(_SYSTEM_PREFIX)),
    )


def parse_item(raw: object) -> AvitoItem | None:
    """Parse a listing; None if it has no usable id."""
    item = _object(raw)
    item_id = integer(item.get("id"))
    if item_id is None:
        return None
    return AvitoItem(
        id=item_id,
        title=name(item.get("title")),
        status=name(item.get("status")),
        url=_url(item.get("url")),
    )


def parse_hint(raw: object) -> AvitoHint | None:
    """Parse the body of a webhook; None if it is not a message in a chat.

    Avito's probe, for example, is an empty object.
    """
    payload = _object(_object(raw).get("payload"))
    value = _object(payload.get("value"))
    user_id, chat_id, chat_type = (
        integer(value.get("user_id")),
        _identifier(value.get("chat_id")),
        value.get("chat_type"),
    )
    if (
        payload.get("type") != "message"
        or user_id is None
        or chat_id is None
        or len(chat_id) > _LONGEST_CHAT_ID
    ):
        return None
    return AvitoHint(user_id, chat_id, chat_type if chat_type in _CHAT_TYPES else None)


def integer(value: object) -> int | None:
    """Return an integer that fits a Postgres bigint, given as a number or as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    return (
        value
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST_ID
        else None
    )


def words(value: object) -> str | None:
    """Return a non-blank text; Avito also sends empty titles."""
    return value if isinstance(value, str) and value.strip() else None


def name(value: object) -> str | None:
    """Return a name or a title, truncated."""
    said = words(value)
    return said and words(shorten(said, _LONGEST_NAME))


def _url(value: object) -> str | None:
    """Return a URL; None if it is too long, because a truncated URL is useless."""
    address = words(value)
    return address if address and len(address) <= _LONGEST_URL else None


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _identifier(value: object) -> str | None:
    number = integer(value)
    identifier = words(value) if number is None else str(number)
    return identifier if identifier and len(identifier) <= _LONGEST_ID else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _moment(value: object) -> datetime | None:
    seconds = integer(
        int(value) if isinstance(value, float) and abs(value) < _LARGEST_ID else value
    )
    if seconds is None or not _EARLIEST <= seconds < _LATEST:  # Avito sends 0 for "not yet"
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _client(users: object, own_id: int) -> Mapping[str, Any]:
    known = [_object(user) for user in users] if isinstance(users, list) else []
    return next((user for user in known if integer(user.get("id")) not in (None, own_id)), {})


def _chat_type(chat_id: str, asked_types: Sequence[str], *, has_item: bool) -> str:
    prefix = chat_id.partition("-")[0]
    if prefix in _CHAT_TYPES:
        return prefix
    if len(asked_types) == 1:
        return asked_types[0]
    return "u2i" if has_item else "u2u"


def _direction(value: object, author_id: int | None, own_id: int) -> Direction | None:
    if value in ("in", "out"):
        return "in" if value == "in" else "out"
    # Webhooks omit the direction. All employees write as the account itself.
    if author_id is None:
        return None
    return "out" if author_id == own_id else "in"
