"""SQL of the unread chats for sync: selection, and the state after a reading."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import any_, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.messages import SETTLED_AFTER
from app.models import Chat, Message
from app.models.chat import MAY_LOSE_MESSAGES
from app.repositories import chat_facts
from app.repositories.chat_locks import lock_account
from app.repositories.sql_values import text_array


@dataclass(frozen=True)
class UnreadChat:
    """An unread chat.

    ``listed_message_id``, ``avito_updated_at`` and ``hints`` are compared after the reading: if
    they have changed, Avito has shown newer activity meanwhile.
    """

    id: int
    account_id: int
    avito_id: str
    chat_type: str | None
    read_at: datetime | None
    """When its messages were last read; None: never."""
    history_complete: bool
    listed_message_id: str | None
    avito_updated_at: datetime | None
    hints: int

    @property
    def is_new(self) -> bool:
        """Whether none of its messages is copied."""
        return self.read_at is None

    @property
    def is_only_hinted(self) -> bool:
        """Whether only a webhook has named the chat, and nothing else is known of it."""
        return (
            self.is_new
            and self.hints > 0
            and self.avito_updated_at is None
            and self.listed_message_id is None
        )


async def mark_recent_unread(
    session: AsyncSession, account_id: int, *, since: datetime, now: datetime, limit: int
) -> int:
    """Mark the chats that were last read while one of their messages could still be deleted.

    All whose messages are settled by now, which are thereby read for the last time, and at most
    ``limit`` of the others: those read the longest ago. Chats read ``since`` a time are left for
    the next sync. Returns the number of marked chats.
    """
    may_change = (
        Chat.account_id == account_id,
        ~Chat.messages_read_at.between(since, now),
        text(MAY_LOSE_MESSAGES),
    )
    is_settled = Chat.last_message_at <= now - SETTLED_AFTER
    others = select(Chat.id).where(*may_change, ~is_settled).order_by(Chat.messages_read_at)
    await lock_account(session, account_id)
    marked = await session.execute(
        update(Chat)
        .where(*may_change, or_(is_settled, Chat.id.in_(others.limit(limit))))
        .values(messages_due=True)
        .returning(Chat.id)
        .execution_options(synchronize_session=False)
    )
    return len(marked.all())


async def mark_deleted(session: AsyncSession, account_id: int, avito_ids: Sequence[str]) -> int:
    """Mark those of these chats whose newest message is stored and not known to be deleted.

    Avito's list shows it as deleted. Returns the number of marked chats.
    """
    marked = await session.execute(
        update(Chat)
        .where(
            Chat.account_id == account_id,
            Chat.avito_id == any_(text_array(avito_ids)),
            ~Chat.messages_due,
            Message.chat_id == Chat.id,
            Message.avito_id == Chat.listed_message_id,
            Message.deleted_at.is_(None),
        )
        .values(messages_due=True)
        .returning(Chat.id)
        .execution_options(synchronize_session=False)
    )
    return len(marked.all())


_UNREAD = select(
    Chat.id,
    Chat.account_id,
    Chat.avito_id,
    Chat.chat_type,
    Chat.messages_read_at,
    Chat.history_complete,
    Chat.listed_message_id,
    Chat.avito_updated_at,
    Chat.hints,
)


async def list_unread(
    session: AsyncSession, account_id: int, *, failed: bool, after_id: int, limit: int
) -> list[UnreadChat]:
    """Return the next unread chats by id.

    ``failed``: those with a read error, or those without one.
    """
    has_failed = Chat.read_error.is_not(None)
    statement = (
        _UNREAD.where(
            Chat.account_id == account_id,
            Chat.messages_due,
            has_failed if failed else ~has_failed,
            Chat.id > after_id,
        )
        .order_by(Chat.id)
        .limit(limit)
    )
    return [UnreadChat(*row) for row in await session.execute(statement)]


async def reload_unread(session: AsyncSession, chat: UnreadChat) -> UnreadChat:
    """Return the current state of the chat, before its messages are read."""
    return UnreadChat(*(await session.execute(_UNREAD.where(Chat.id == chat.id))).one())


async def get_readable_chat_id(session: AsyncSession, account_id: int) -> str | None:
    """Return the Avito id of a chat whose last reading was successful.

    It is one that is not unread if there is any, and of these the one read last.
    """
    statement = (
        select(Chat.avito_id)
        .where(
            Chat.account_id == account_id,
            Chat.messages_read_at.is_not(None),
            Chat.read_error.is_(None),
        )
        .order_by(Chat.messages_due, Chat.messages_read_at.desc())
        .limit(1)
    )
    return await session.scalar(statement)


async def count_unread(session: AsyncSession, account_id: int) -> int:
    """Return the number of unread chats."""
    unread = select(func.count()).where(Chat.account_id == account_id, Chat.messages_due)
    return await session.scalar(unread) or 0


async def mark_unreadable(
    session: AsyncSession, chat: UnreadChat, *, message: str, gone: bool
) -> None:
    """Store why a chat's messages could not be read.

    ``gone``: Avito does not have the chat. It is not read again until Avito's list or a webhook
    names it.
    """
    values: dict[str, Any] = {"read_error": message}
    if gone:
        values["messages_due"] = Chat.messages_due & (Chat.hints != chat.hints)
    await session.execute(
        update(Chat)
        .where(Chat.id == chat.id)
        .values(values)
        .execution_options(synchronize_session=False)
    )


async def mark_read(
    session: AsyncSession, read: Iterable[tuple[UnreadChat, bool]], *, now: datetime
) -> None:
    """Update the chats' columns that derive from their messages.

    ``read``: chats, each with a flag whether its history is copied back to the first message. A
    chat stays unread if Avito's list or a webhook has shown newer activity since ``UnreadChat`` was
    read.
    """
    rows = [
        {
            "id": chat.id,
            "updated_at": chat.avito_updated_at,
            "listed": chat.listed_message_id,
            "hints": chat.hints,
            "complete": complete,
        }
        for chat, complete in read
    ]
    await chat_facts.mark_read(session, rows, now=now)
