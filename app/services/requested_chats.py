"""Chats that a caller names by Avito's ids: an id that was mistyped must not pass for a chat that
needs nothing.
"""

from collections.abc import Collection, Sequence

from app.database.engine import Database
from app.errors import FieldError, InvalidRequestError
from app.repositories import gradings

_TOLD = 5
_LONGEST = 60
"""Characters of an id that are told; Avito's have about thirty."""


async def require_known_chats(database: Database, chat_ids: Collection[str]) -> list[str]:
    """Those of the ids, each of them given once, that no stored chat has, where one of them has.

    Raises:
        InvalidRequestError: there is none of them.
    """
    unknown = await list_unknown_chats(database, chat_ids)
    if unknown and len(unknown) == len(chat_ids):
        message = describe_unknown(unknown)
        raise InvalidRequestError(
            f"Неверные параметры запроса: chat_ids — {message}.", (FieldError("chat_ids", message),)
        )
    return unknown


async def list_unknown_chats(database: Database, chat_ids: Collection[str]) -> list[str]:
    """Those of the ids that no stored chat has."""
    async with database.session() as session:
        return await gradings.list_unknown(session, chat_ids)


def describe_unknown(unknown: Sequence[str]) -> str:
    """A Russian clause that names the first of these ids, and says how many there are where that is
    not all.
    """
    told = ", ".join(f"{chat_id:.{_LONGEST}}" for chat_id in unknown[:_TOLD])
    more = f" и другие, всего {len(unknown)}" if len(unknown) > _TOLD else ""
    return f"не найдены чаты: {told}{more}"
