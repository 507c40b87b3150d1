"""SQL of the unread chats for sync: selection, and the state after a reading."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import any_, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.messages import SETTLED_AFTER, Side
from app.models import Chat
from app.repositories.chats import lock_bulk_chat_updates
from app.repositories.message_conditions import begins_wait, ends_wait, is_lead, render
from app.repositories.sql_values import bigint_array


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


async def mark_recent_unread(session: AsyncSession, account_id: int) -> None:
    """Mark the chats that were last read while one of their messages could still be deleted.

    Chats with a read error are left out: they are unread already, or Avito does not have them any
    more.
    """
    await lock_bulk_chat_updates(session)
    await session.execute(
        update(Chat)
        .where(
            Chat.account_id == account_id,
            ~Chat.messages_due,
            Chat.read_error.is_(None),
            Chat.messages_read_at < Chat.last_message_at + SETTLED_AFTER,
        )
        .values(messages_due=True)
        .execution_options(synchronize_session=False)
    )


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


async def lock_chats(session: AsyncSession, chat_ids: Sequence[int]) -> None:
    """Lock these chats until the transaction ends."""
    await lock_bulk_chat_updates(session)
    rows = select(Chat.id).where(Chat.id == any_(bigint_array(chat_ids))).with_for_update()
    await session.execute(rows)


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


# A chat becomes due by the order of its messages, not by the clock: a person's message after the
# last one that a grading has seen makes it due, or a notice of a lead while nobody has written.
# Raw SQL: a bulk update from jsonb_to_recordset.
_MARK_READ = text(f"""
    WITH read AS (
        SELECT * FROM jsonb_to_recordset(CAST(:chats AS jsonb)) AS row (
            id bigint, updated_at timestamptz, listed text, hints bigint, complete boolean)
    )
    UPDATE chats chat SET
        messages_read_at = :now,
        messages_due = (chat.avito_updated_at, chat.listed_message_id, chat.hints)
            IS DISTINCT FROM (read.updated_at, read.listed, read.hints),
        history_complete = read.complete,
        read_error = NULL,
        last_message_at = facts.last_message_at,
        last_person_message_id = facts.person_id,
        last_person_at = facts.person_at,
        last_person_side = facts.person_side,
        lead_message_id = facts.lead_id,
        unanswered_since = facts.unanswered_since,
        waiting_since = facts.unanswered_since,
        due_since = facts.due_since,
        failures = CASE WHEN chat.outcome_message_id IS DISTINCT FROM facts.person_id
            THEN 0 ELSE chat.failures END
    FROM read, LATERAL (
        WITH stored AS MATERIALIZED (
            SELECT id, sent_at, side, {render(begins_wait())} AS begins_wait,
                   {render(ends_wait())} AS ends_wait, {render(is_lead())} AS is_lead
            FROM messages WHERE chat_id = read.id),
        person AS (
            SELECT * FROM stored WHERE side <> '{Side.SYSTEM}'
            ORDER BY sent_at DESC, id DESC LIMIT 1),
        lead AS (
            SELECT * FROM stored WHERE is_lead AND NOT EXISTS (SELECT FROM person)
            ORDER BY sent_at DESC, id DESC LIMIT 1),
        answer AS (
            SELECT * FROM stored WHERE ends_wait ORDER BY sent_at DESC, id DESC LIMIT 1),
        seen AS (
            SELECT stored.* FROM stored JOIN chats known ON known.seen_message_id = stored.id
            WHERE known.id = read.id)
        SELECT
            (SELECT max(sent_at) FROM stored) AS last_message_at,
            (SELECT id FROM person) AS person_id,
            (SELECT sent_at FROM person) AS person_at,
            (SELECT side FROM person) AS person_side,
            (SELECT min(sent_at) FROM stored WHERE begins_wait
                AND (NOT EXISTS (SELECT FROM answer)
                     OR (sent_at, id) > (SELECT sent_at, id FROM answer))) AS unanswered_since,
            (SELECT id FROM lead) AS lead_id,
            (SELECT min(sent_at) FROM stored
                WHERE (side <> '{Side.SYSTEM}' OR id = (SELECT id FROM lead))
                AND (NOT EXISTS (SELECT FROM seen)
                     OR (sent_at, id) > (SELECT sent_at, id FROM seen))) AS due_since
    ) facts
    WHERE chat.id = read.id
    """)  # noqa: S608 - values of the domain


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
    await session.execute(_MARK_READ, {"chats": json.dumps(rows, default=str), "now": now})
