"""Check the chat IDs of a request, so that a mistyped ID does not look like a chat without work."""

from collections.abc import Collection, Sequence

from app.database.engine import Database
from app.errors import FieldError, InvalidParametersError
from app.repositories import due_chats

_SHOWN_IDS = 5
_ID_LIMIT = 60
"""Shown characters of an ID. Avito's IDs have about thirty."""


async def require_known_chats(database: Database, chat_ids: Collection[str]) -> list[str]:
    """Return the IDs that no stored chat has. ``chat_ids`` contains no duplicates.

    Raises:
        InvalidParametersError: no stored chat has any of the IDs.
    """
    unknown = await list_unknown_chats(database, chat_ids)
    if unknown and len(unknown) == len(chat_ids):
        raise InvalidParametersError(FieldError("chat_ids", describe_unknown(unknown)))
    return unknown


async def list_unknown_chats(database: Database, chat_ids: Collection[str]) -> list[str]:
    """Return the IDs that no stored chat has."""
    async with database.session() as session:
        return await due_chats.list_unknown(session, chat_ids)


def describe_unknown(unknown: Sequence[str]) -> str:
    """Return a Russian clause with the first of these IDs, and their number if there are more."""
    shown = ", ".join(f"{chat_id:.{_ID_LIMIT}}" for chat_id in unknown[:_SHOWN_IDS])
    more = f" и другие, всего {len(unknown)}" if len(unknown) > _SHOWN_IDS else ""
    return f"не найдены чаты: {shown}{more}"
