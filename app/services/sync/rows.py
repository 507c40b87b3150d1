"""Avito's chats and messages as rows of our tables."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from app.clients.avito.schema import AvitoChat, AvitoMessage, describe
from app.domain.messages import Side


def chat_row(chat: AvitoChat) -> dict[str, Any]:
    """What the list says of a chat."""
    return {
        "avito_id": chat.id,
        "chat_type": chat.chat_type,
        "item_id": chat.item_id,
        "item_title": chat.item_title,
        "item_url": chat.item_url,
        "item_price": chat.price,
        "client_id": chat.client_id,
        "client_name": chat.client_name,
        "avito_created_at": chat.created_at,
        "avito_updated_at": chat.updated_at,
        "listed_message_id": chat.last_message.id if chat.last_message else None,
    }


def message_rows(
    chat_id: int, found: Iterable[AvitoMessage], *, from_avito: bool, now: datetime
) -> list[dict[str, Any]]:
    """Rows oldest first. Avito gives the newest first, so of one second the later in its answer is
    the older.
    """
    oldest_first = list(found)[::-1]
    ordered = sorted(oldest_first, key=lambda message: (message.created_at, message.is_system))
    return [
        {
            "n": n,
            "chat_id": chat_id,
            "avito_id": message.id,
            "side": _side(message, from_avito=from_avito),
            "author_id": message.author_id,
            "type": message.type,
            "text": describe(message),
            "has_text": message.text is not None,
            "content": message.content,
            "quote": message.quote,
            "sent_at": message.created_at,
            "is_read": message.is_read,
            "read_at": message.read_at,
            "deleted_at": now if message.type == "deleted" else None,
        }
        for n, message in enumerate(ordered)
    ]


def _side(message: AvitoMessage, *, from_avito: bool) -> Side:
    """Whose message it is; what Avito writes in a chat of its own is nobody's question and nobody's
    answer.
    """
    if message.is_system or (from_avito and message.direction != "out"):
        return Side.SYSTEM
    return Side.COMPANY if message.direction == "out" else Side.CLIENT
