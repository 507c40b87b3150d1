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
)
from app.clients.text import shorten
from app.domain.placeholders import (
    HIDDEN_AS,
    NOTICES,
    SYSTEM_PREFIX,
    Placeholder,
    find_placeholder,
)

_CHAT_TYPES = ("u2i", "u2u", "a2u")
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
    chat = _as_object(raw)
    chat_id = _parse_id(chat.get("id"))
    if chat_id is None or len(chat_id) > _LONGEST_CHAT_ID:
        return None
    context = _as_object(chat.get("context"))
    item = _as_object(context.get("value")) if context.get("type", "item") == "item" else {}
    client = _find_buyer(chat.get("users"), own_id)
    return AvitoChat(
        id=chat_id,
        chat_type=_parse_chat_type(chat_id, asked_types, has_item=bool(item)),
        created_at=_parse_time(chat.get("created")),
        updated_at=_parse_time(chat.get("updated")),
        item_id=parse_integer(item.get("id")),
        item_title=parse_name(item.get("title")),
        item_url=_parse_url(item.get("url")),
        item_owner_id=_parse_user_id(item.get("user_id")),
        price=parse_name(item.get("price_string")),
        client_id=parse_integer(client.get("id")),
        client_name=parse_name(client.get("name")),
        client_url=_parse_url(_as_object(client.get("public_user_profile")).get("url")),
        last_message=parse_message(chat.get("last_message"), own_id=own_id),
        raw=dict(chat),
    )


def parse_message(raw: object, *, own_id: int) -> AvitoMessage | None:
    """Parse a message in a chat of the account ``own_id``; None without a usable id or time.

    The texts and the prefix of system messages are ignored in the company's own messages. Otherwise
    an employee could exclude messages from grading by typing them.
    """
    message = _as_object(raw)
    message_id, created_at = _parse_id(message.get("id")), _parse_time(message.get("created"))
    if message_id is None or created_at is None:
        return None
    content = dict(_as_object(message.get("content")))
    author_id = parse_integer(message.get("author_id"))
    direction = _parse_direction(message.get("direction"), author_id, own_id)
    message_type = _parse_message_type(message.get("type"), content)
    text = parse_text(content.get("text")) if message_type in ("text", "system") else None
    placeholder = find_placeholder(text)
    return AvitoMessage(
        id=message_id,
        author_id=author_id,
        direction=direction,
        type=HIDDEN_AS.get(placeholder, message_type) if placeholder else message_type,
        text=None if placeholder in HIDDEN_AS else text,
        content=content,
        created_at=created_at,
        is_read=_parse_flag(message.get("is_read", message.get("isRead"))),
        read_at=_parse_time(message.get("read")),
        quote=dict(_as_object(message.get("quote"))) or None,
        is_system=message_type == "system"
        or author_id in _SYSTEM_AUTHORS
        or (direction != "out" and _is_notice(text, placeholder)),
    )


def _is_notice(text: str | None, placeholder: Placeholder | None) -> bool:
    return placeholder in NOTICES or (text or "").startswith(SYSTEM_PREFIX)


def _parse_message_type(value: object, content: Mapping[str, Any]) -> str:
    """Return the type; if it is missing, the only key of the content determines it."""
    given = (parse_text(value) or "")[:_LONGEST_TYPE]
    return given or next((kind for kind in _KINDS_OF_CONTENT if content.get(kind)), "unknown")


def parse_item(raw: object) -> AvitoItem | None:
    """Parse a listing; None if it has no usable id."""
    item = _as_object(raw)
    item_id = parse_integer(item.get("id"))
    if item_id is None:
        return None
    return AvitoItem(
        id=item_id,
        title=parse_name(item.get("title")),
        price=_parse_price(item.get("price")),
        category=parse_name(_as_object(item.get("category")).get("name")),
        address=parse_name(item.get("address")),
        status=parse_name(item.get("status")),
        url=_parse_url(item.get("url")),
    )


def parse_hint(raw: object) -> AvitoHint | None:
    """Parse the body of a webhook; None if it is not a message in a chat.

    Avito's probe, for example, is an empty object.
    """
    payload = _as_object(_as_object(raw).get("payload"))
    value = _as_object(payload.get("value"))
    user_id, chat_id, chat_type = (
        parse_integer(value.get("user_id")),
        _parse_id(value.get("chat_id")),
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


def parse_integer(value: object) -> int | None:
    """Return an integer that fits a Postgres bigint, given as a number or as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    return (
        value
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST_ID
        else None
    )


def _parse_user_id(value: object) -> int | None:
    """Return the number of a user. Avito's own bot is 0 or 1 and has no listings."""
    number = parse_integer(value)
    return number if number is not None and number > max(_SYSTEM_AUTHORS) else None


def parse_text(value: object) -> str | None:
    """Return a non-blank text; Avito also sends empty titles."""
    return value if isinstance(value, str) and value.strip() else None


def parse_name(value: object) -> str | None:
    """Return a name or a title, truncated."""
    text = parse_text(value)
    return text and parse_text(shorten(text, _LONGEST_NAME))


def _parse_price(value: object) -> int | None:
    """Return whole roubles; None for a price that is not a positive number."""
    whole = int(value) if isinstance(value, float) and abs(value) < _LARGEST_ID else value
    price = parse_integer(whole)
    return price if price is not None and price > 0 else None


def _parse_url(value: object) -> str | None:
    """Return a URL; None if it is too long, because a truncated URL is useless."""
    address = parse_text(value)
    return address if address and len(address) <= _LONGEST_URL else None


def _as_object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _parse_id(value: object) -> str | None:
    number = parse_integer(value)
    identifier = parse_text(value) if number is None else str(number)
    return identifier if identifier and len(identifier) <= _LONGEST_ID else None


def _parse_flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _parse_time(value: object) -> datetime | None:
    seconds = parse_integer(
        int(value) if isinstance(value, float) and abs(value) < _LARGEST_ID else value
    )
    if seconds is None or not _EARLIEST <= seconds < _LATEST:  # Avito sends 0 for "not yet"
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _find_buyer(users: object, own_id: int) -> Mapping[str, Any]:
    known = [_as_object(user) for user in users] if isinstance(users, list) else []
    return next((user for user in known if parse_integer(user.get("id")) not in (None, own_id)), {})


def _parse_chat_type(chat_id: str, asked_types: Sequence[str], *, has_item: bool) -> str:
    prefix = chat_id.partition("-")[0]
    if prefix in _CHAT_TYPES:
        return prefix
    if len(asked_types) == 1:
        return asked_types[0]
    return "u2i" if has_item else "u2u"


def _parse_direction(value: object, author_id: int | None, own_id: int) -> Direction | None:
    if value in ("in", "out"):
        return "in" if value == "in" else "out"
    # Webhooks omit the direction. All employees write as the account itself.
    if author_id is None:
        return None
    return "out" if author_id == own_id else "in"
