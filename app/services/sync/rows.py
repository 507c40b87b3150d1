"""Table rows from Avito's chats and messages."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from app.clients.avito.schema import AvitoChat, AvitoMessage, describe
from app.domain.messages import Side


def make_chat_row(chat: AvitoChat) -> dict[str, Any]:
    """Return the row of a listed chat."""
    return {
        "avito_id": chat.id,
        "chat_type": chat.chat_type,
        "item_id": chat.item_id,
        "item_title": chat.item_title,
        "item_url": chat.item_url,
        "item_price": chat.price,
        "item_owner_id": chat.item_owner_id,
        "client_id": chat.client_id,
        "client_name": chat.client_name,
        "avito_created_at": chat.created_at,
        "avito_updated_at": chat.updated_at,
        "listed_message_id": chat.last_message.id if chat.last_message else None,
    }


def make_message_rows(
    chat_id: int, found: Iterable[AvitoMessage], *, from_avito: bool, now: datetime
) -> list[dict[str, Any]]:
    """Return rows, oldest first.

    Avito returns the newest message first. Of two messages of the same second, the later one in the
    response is the older.
    """
    oldest_first = list(found)[::-1]
    ordered = sorted(oldest_first, key=lambda message: (message.created_at, message.is_system))
    return [
        {
            "n": n,
            "chat_id": chat_id,
            "avito_id": message.id,
            "side": _get_side(message, from_avito=from_avito),
            "author_id": message.author_id,
            "type": message.type,
            "text": describe(message),
            "has_text": message.text is not None,
            "content": _get_content(message),
            "quote": message.quote,
            "sent_at": message.created_at,
            "is_read": message.is_read,
            "read_at": message.read_at,
            "deleted_at": now if is_deleted(message) else None,
        }
        for n, message in enumerate(ordered)
    ]


def _get_content(message: AvitoMessage) -> dict[str, Any] | None:
    """Return Avito's content; None if it is nothing but the text, which has its own column."""
    return None if message.content == {"text": message.text} else message.content


def is_deleted(message: AvitoMessage) -> bool:
    """Return whether the author has deleted the message."""
    return message.type == "deleted"


def _get_side(message: AvitoMessage, *, from_avito: bool) -> Side:
    """Return the author's side.

    A message that Avito writes in its own chat is a system message: it is neither question nor
    answer.
    """
    if message.is_system or (from_avito and message.direction != "out"):
        return Side.SYSTEM
    return Side.COMPANY if message.direction == "out" else Side.CLIENT
