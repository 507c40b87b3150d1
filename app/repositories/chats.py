"""SQL of the chats as sync sees them: what Avito's list says, and whose messages are to be read."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True)
class ListedCount:
    """What one page of Avito's list changed: chats never seen before, and chats whose messages are to be read."""

    new: int
    due: int


@dataclass(frozen=True)
class ChatToRead:
    """A chat whose messages are to be read; the mark tells whether Avito has shown newer activity meanwhile."""

    id: int
    avito_id: str
    chat_type: str | None
    is_new: bool
    history_complete: bool
    listed_message_id: str | None
    avito_updated_at: datetime | None


# A chat without a time or a last message cannot be told from a changed one, so it is read.
_UPSERT_LISTED = text(
    """
    WITH listed AS (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS row (
            avito_id text, chat_type text, item_id bigint, item_title text, item_url text, item_price text, client_id bigint,
            client_name text, avito_created_at timestamptz, avito_updated_at timestamptz, listed_message_id text)
    ), written AS (
        INSERT INTO chats AS known (account_id, avito_id, chat_type, item_id, item_title, item_url, item_price, client_id, client_name,
                                    avito_created_at, avito_updated_at, listed_message_id, messages_due)
        SELECT :account_id, avito_id, chat_type, item_id, item_title, item_url, item_price, client_id, client_name,
               avito_created_at, avito_updated_at, listed_message_id, true
        FROM listed ORDER BY avito_updated_at
        ON CONFLICT (account_id, avito_id) DO UPDATE SET
            chat_type = coalesce(excluded.chat_type, known.chat_type),
            item_id = coalesce(excluded.item_id, known.item_id),
            item_title = coalesce(excluded.item_title, known.item_title),
            item_url = coalesce(excluded.item_url, known.item_url),
            item_price = coalesce(excluded.item_price, known.item_price),
            client_id = coalesce(excluded.client_id, known.client_id),
            client_name = coalesce(excluded.client_name, known.client_name),
            avito_created_at = coalesce(excluded.avito_created_at, known.avito_created_at),
            avito_updated_at = coalesce(excluded.avito_updated_at, known.avito_updated_at),
            listed_message_id = coalesce(excluded.listed_message_id, known.listed_message_id),
            messages_due = known.messages_due OR :reread
                OR coalesce(excluded.avito_updated_at <> known.avito_updated_at,
                            (excluded.avito_updated_at IS NULL) <> (known.avito_updated_at IS NULL))
                OR coalesce(excluded.listed_message_id <> known.listed_message_id,
                            (excluded.listed_message_id IS NULL) <> (known.listed_message_id IS NULL))
                OR (excluded.avito_updated_at IS NULL AND excluded.listed_message_id IS NULL)
        WHERE (known.chat_type, known.item_id, known.item_title, known.item_url, known.item_price, known.client_id, known.client_name,
               known.avito_created_at, known.avito_updated_at, known.listed_message_id)
            IS DISTINCT FROM
              (coalesce(excluded.chat_type, known.chat_type), coalesce(excluded.item_id, known.item_id),
               coalesce(excluded.item_title, known.item_title), coalesce(excluded.item_url, known.item_url),
               coalesce(excluded.item_price, known.item_price), coalesce(excluded.client_id, known.client_id),
               coalesce(excluded.client_name, known.client_name), coalesce(excluded.avito_created_at, known.avito_created_at),
               excluded.avito_updated_at, excluded.listed_message_id)
            OR (excluded.avito_updated_at IS NULL AND excluded.listed_message_id IS NULL)
            OR :reread
        RETURNING xmax = 0 AS is_new, messages_due
    )
    SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE messages_due) FROM written
    """
)


async def upsert_listed(session: AsyncSession, account_id: int, rows: Iterable[Mapping[str, Any]], *, reread: bool) -> ListedCount:
    """Writes one page of Avito's list and marks the chats in it that changed; a value that Avito left out keeps the known one.

    ``rows`` hold a chat at most once; their keys are the columns of the statement. ``reread`` marks every chat of the page.
    """
    parameters = {"account_id": account_id, "rows": json.dumps(list(rows), default=str), "reread": reread}
    new, due = (await session.execute(_UPSERT_LISTED, parameters)).one()
    return ListedCount(new, due)


async def mark_recent_due(session: AsyncSession, account_id: int) -> None:
    """Marks the chats that were last read while a message in them could still be deleted: within the hour, and some minutes of grace."""
    await session.execute(
        text(
            """
            UPDATE chats SET messages_due = true
            WHERE account_id = :account_id AND NOT messages_due AND messages_read_at < last_message_at + interval '65 minutes'
            """
        ),
        {"account_id": account_id},
    )


async def list_to_read(session: AsyncSession, account_id: int, *, after_id: int, limit: int) -> list[ChatToRead]:
    """The next chats whose messages are due, by id."""
    rows = await session.execute(
        text(
            """
            SELECT id, avito_id, chat_type, messages_read_at IS NULL, history_complete, listed_message_id, avito_updated_at
            FROM chats WHERE account_id = :account_id AND messages_due AND id > :after_id ORDER BY id LIMIT :limit
            """
        ),
        {"account_id": account_id, "after_id": after_id, "limit": limit},
    )
    return [ChatToRead(*row) for row in rows]


async def count_to_read(session: AsyncSession, account_id: int) -> int:
    """How many chats' messages are due."""
    statement = text("SELECT count(*) FROM chats WHERE account_id = :account_id AND messages_due")
    return int(await session.scalar(statement, {"account_id": account_id}) or 0)


async def lock_chat(session: AsyncSession, chat_id: int) -> None:
    """Keeps other writers of this chat's messages out until the end of the transaction."""
    await session.execute(text("SELECT FROM chats WHERE id = :id FOR UPDATE"), {"id": chat_id})


async def mark_unreadable(session: AsyncSession, chat: ChatToRead, *, message: str, gone: bool) -> None:
    """Keeps why a chat's messages could not be read; one that Avito no longer has is not asked for again."""
    await session.execute(
        text("UPDATE chats SET read_error = :message, messages_due = messages_due AND NOT :gone WHERE id = :id"),
        {"id": chat.id, "message": message, "gone": gone},
    )


# The grading is due by message and not by clock: what counts is whether a person's message comes after the last one seen.
_MARK_READ = text(
    """
    WITH last_person AS (
        SELECT id, sent_at, side FROM messages WHERE chat_id = :id AND side <> 'system' ORDER BY sent_at DESC, id DESC LIMIT 1
    ), last_answer AS (
        SELECT id, sent_at FROM messages WHERE chat_id = :id AND side = 'company' ORDER BY sent_at DESC, id DESC LIMIT 1
    ), waiting AS (
        SELECT min(sent_at) AS since FROM messages
        WHERE chat_id = :id AND side = 'client'
          AND (NOT EXISTS (SELECT FROM last_answer) OR (sent_at, id) > (SELECT sent_at, id FROM last_answer))
    ), seen AS (
        SELECT message.sent_at, message.id FROM messages message JOIN chats chat ON chat.seen_message_id = message.id WHERE chat.id = :id
    ), unseen AS (
        SELECT min(sent_at) AS since FROM messages
        WHERE chat_id = :id AND side <> 'system' AND (NOT EXISTS (SELECT FROM seen) OR (sent_at, id) > (SELECT sent_at, id FROM seen))
    )
    UPDATE chats SET
        messages_read_at = :now,
        messages_due = (avito_updated_at, listed_message_id) IS DISTINCT FROM (CAST(:updated_at AS timestamptz), CAST(:listed AS text)),
        history_complete = :complete,
        read_error = NULL,
        last_message_at = (SELECT max(sent_at) FROM messages WHERE chat_id = :id),
        last_person_message_id = (SELECT id FROM last_person),
        last_person_at = (SELECT sent_at FROM last_person),
        last_person_side = (SELECT side FROM last_person),
        waiting_since = (SELECT since FROM waiting),
        due_since = (SELECT since FROM unseen),
        failures = CASE WHEN outcome_message_id IS DISTINCT FROM (SELECT id FROM last_person) THEN 0 ELSE failures END
    WHERE id = :id
    """
)


async def mark_read(session: AsyncSession, chat: ChatToRead, *, now: datetime, complete: bool) -> None:
    """Draws the chat's own columns from its messages; the chat stays due where Avito has shown newer activity meanwhile."""
    parameters = {"id": chat.id, "now": now, "complete": complete, "updated_at": chat.avito_updated_at, "listed": chat.listed_message_id}
    await session.execute(_MARK_READ, parameters)
