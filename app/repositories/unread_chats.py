"""SQL of the chats that a sync reads: selection, and the state after a reading."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import any_, func, select, true, union_all, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.messages import FINAL_AFTER
from app.models import Chat, Message
from app.repositories import chat_facts
from app.repositories.sql_values import bigint_array, text_array


@dataclass(frozen=True)
class UnreadChat:
    """An unread chat, or a recent one that is read again.

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


async def list_recent(
    session: AsyncSession, account_id: int, *, since: datetime, now: datetime, limit: int
) -> list[int]:
    """Return recent chats: last read while one of their messages could still be deleted.

    - All chats whose messages are final by now. They are read for the last time.
    - Of the others at most ``limit``, those that were read the longest ago.

    Left out are chats read ``since`` a time, unread chats, and chats with a read error, which Avito
    does not have any more.
    """
    may_change = select(Chat.id).where(
        Chat.account_id == account_id,
        Chat.may_lose_messages,
        ~Chat.messages_due,
        Chat.read_error.is_(None),
        ~Chat.messages_read_at.between(since, now),
    )
    is_final = Chat.last_message_at <= now - FINAL_AFTER
    others = may_change.where(~is_final).order_by(Chat.messages_read_at).limit(limit)
    return list(await session.scalars(union_all(may_change.where(is_final), others)))


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


async def get_unread(session: AsyncSession, chat_ids: Sequence[int]) -> list[UnreadChat]:
    """Return the current state of these chats, whether they are unread or not."""
    statement = _UNREAD.where(Chat.id == any_(bigint_array(chat_ids)))
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

    The chat stays or becomes unread. ``gone``: Avito does not have the chat. It is not read again
    until Avito's list or a webhook names it.
    """
    messages_due = Chat.messages_due & (Chat.hints != chat.hints) if gone else true()
    await session.execute(
        update(Chat)
        .where(Chat.id == chat.id)
        .values(read_error=message, messages_due=messages_due)
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
