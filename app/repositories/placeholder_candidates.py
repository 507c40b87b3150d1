"""SQL of texts that may be placeholders which ``app.domain.placeholders`` does not contain."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Chat, Message
from app.repositories.message_conditions import is_by_person

NEWEST_CHATS = 5_000
"""The chats that are searched: the last ones copied."""
SOON_AFTER_CREATION = timedelta(seconds=10)
MANY_CHATS = 20
"""The number of chats with one text from which it is a candidate."""
_LONGEST_TEXT = 300
_SHOWN = 5


class Candidate(NamedTuple):
    """A text, its side, and the number of chats that begin with it."""

    text: str
    side: str
    chats: int


async def list_placeholder_candidates(session: AsyncSession, *, since: datetime) -> list[Candidate]:
    """Return identical texts that begin many chats created from ``since`` on, commonest first.

    They were written within seconds after the chat was created. Questions are left out: Avito
    offers buyers ready-made ones. System messages and those of bots are known to be none of a
    person.
    """
    newest = (
        select(Chat.id, Chat.avito_created_at)
        .where(Chat.avito_created_at >= since)
        .order_by(Chat.id.desc())
        .limit(NEWEST_CHATS)
        .subquery("newest")
    )
    chats = func.count(Message.chat_id.distinct())
    statement = (
        select(Message.text, Message.side, chats)
        .join(newest, newest.c.id == Message.chat_id)
        .where(
            is_by_person(),
            Message.has_text,
            Message.sent_at.between(
                newest.c.avito_created_at, newest.c.avito_created_at + SOON_AFTER_CREATION
            ),
            func.length(Message.text) <= _LONGEST_TEXT,
            ~Message.text.contains("?"),
        )
        .group_by(Message.text, Message.side)
        .having(chats >= MANY_CHATS)
        .order_by(chats.desc(), Message.text)
        .limit(_SHOWN)
    )
    return [Candidate(*row) for row in await session.execute(statement)]
