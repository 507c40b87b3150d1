"""SQL of the chats as sync sees them: what Avito's list says, and whose messages are to be read."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.repositories.locks import lock_bulk_chat_updates


@dataclass(frozen=True)
class ListedCount:
    """What one page of Avito's list changed: chats never seen before, and chats whose messages are
    to be read.
    """

    new: int
    due: int


@dataclass(frozen=True)
class ChatToRead:
    """A chat whose messages are to be read; the mark tells whether Avito has shown newer activity
    meanwhile.
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
        """None of its messages are here."""
        return self.read_at is None

    @property
    def is_only_hinted(self) -> bool:
        """A webhook has named the chat, and nothing else is known of it."""
        return (
            self.is_new
            and self.hints > 0
            and self.avito_updated_at is None
            and self.listed_message_id is None
        )


# A chat without a time or a last message cannot be told from a changed one, so it is read.
_UPSERT_LISTED = text("""
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
    """)


async def upsert_listed(
    session: AsyncSession, account_id: int, rows: Iterable[Mapping[str, Any]], *, reread: bool
) -> ListedCount:
    """Writes one page of Avito's list and marks the chats in it that changed; a value that Avito
    left out keeps the known one.

    ``rows`` hold a chat at most once; their keys are the columns of the statement. ``reread`` marks
    every chat of the page.
    """
    parameters = {
        "account_id": account_id,
        "rows": json.dumps(list(rows), default=str),
        "reread": reread,
    }
    await lock_bulk_chat_updates(session)
    new, due = (await session.execute(_UPSERT_LISTED, parameters)).one()
    return ListedCount(new, due)


async def mark_recent_unread(session: AsyncSession, account_id: int) -> None:
    """Marks the chats that were last read while a message in them could still be deleted: within
    the hour, and some minutes of grace.

    One that could not be read is due already, or Avito does not have it any more.
    """
    await lock_bulk_chat_updates(session)
    await session.execute(
        text("""
            UPDATE chats SET messages_due = true
            WHERE account_id = :account_id AND NOT messages_due AND read_error IS NULL
              AND messages_read_at < last_message_at + interval '65 minutes'
            """),
        {"account_id": account_id},
    )


async def add_hint(
    session: AsyncSession, *, avito_user_id: int, avito_id: str, chat_type: str | None, times: int
) -> None:
    """Marks the chat that webhooks have named so often, be it known or not; nothing happens where
    we have no such account.
    """
    await session.execute(
        text("""
            INSERT INTO chats AS known (account_id, avito_id, chat_type, messages_due, hints)
            SELECT id, :avito_id, :chat_type, true, :times FROM accounts WHERE avito_user_id = :avito_user_id
            ON CONFLICT (account_id, avito_id) DO UPDATE SET messages_due = true, hints = known.hints + excluded.hints
            """),
        {
            "avito_user_id": avito_user_id,
            "avito_id": avito_id,
            "chat_type": chat_type,
            "times": times,
        },
    )


async def mark_hinted(
    session: AsyncSession, avito_user_id: int, avito_id: str, *, times: int
) -> bool:
    """Marks a known chat that webhooks have named so often; False: it is not known."""
    marked = await session.execute(
        text("""
            UPDATE chats SET messages_due = true, hints = hints + :times FROM accounts
            WHERE accounts.id = account_id AND avito_user_id = :avito_user_id AND avito_id = :avito_id
            RETURNING chats.id
            """),
        {"avito_user_id": avito_user_id, "avito_id": avito_id, "times": times},
    )
    return marked.first() is not None


async def list_keys(
    session: AsyncSession, *, after_id: int, limit: int
) -> list[tuple[int, int, str]]:
    """The next chats by id: their ids, and Avito's ids of account and chat."""
    rows = await session.execute(
        text("""
            SELECT chats.id, avito_user_id, avito_id FROM chats JOIN accounts ON accounts.id = account_id
            WHERE chats.id > :after_id ORDER BY chats.id LIMIT :limit
            """),
        {"after_id": after_id, "limit": limit},
    )
    return [(row.id, row.avito_user_id, row.avito_id) for row in rows]


_TO_READ = """
    SELECT id, account_id, avito_id, chat_type, messages_read_at, history_complete, listed_message_id, avito_updated_at, hints
    FROM chats
"""


async def list_to_read(
    session: AsyncSession, account_id: int, *, failed: bool, after_id: int, limit: int
) -> list[ChatToRead]:
    """The next chats whose messages are due, by id: those whose last reading failed, or the others."""
    due = (
        "account_id = :account_id AND messages_due AND (read_error IS NOT NULL) = :failed AND id >"
        " :after_id"
    )
    rows = await session.execute(
        text(f"{_TO_READ} WHERE {due} ORDER BY id LIMIT :limit"),
        {"account_id": account_id, "failed": failed, "after_id": after_id, "limit": limit},
    )
    return [ChatToRead(*row) for row in rows]


async def take_up_again(session: AsyncSession, chat: ChatToRead) -> ChatToRead:
    """The chat as it stands now, before its messages are read."""
    return ChatToRead(
        *(await session.execute(text(f"{_TO_READ} WHERE id = :id"), {"id": chat.id})).one()
    )


async def get_readable(session: AsyncSession, account_id: int) -> str | None:
    """Avito's id of a chat whose messages could be read the last time, as lately as possible; one
    that is not due if there is any.
    """
    statement = text("""
        SELECT avito_id FROM chats WHERE account_id = :account_id AND messages_read_at IS NOT NULL AND read_error IS NULL
        ORDER BY messages_due, messages_read_at DESC LIMIT 1
        """)
    found: str | None = await session.scalar(statement, {"account_id": account_id})
    return found


async def list_item_ids(session: AsyncSession, account_id: int) -> list[int]:
    """The listings that any chat of the account is about."""
    statement = text(
        "SELECT DISTINCT item_id FROM chats WHERE account_id = :account_id AND item_id IS NOT NULL"
        " ORDER BY item_id"
    )
    return list(await session.scalars(statement, {"account_id": account_id}))


async def count_to_read(session: AsyncSession, account_id: int) -> int:
    """How many chats' messages are due."""
    statement = text("SELECT count(*) FROM chats WHERE account_id = :account_id AND messages_due")
    return int(await session.scalar(statement, {"account_id": account_id}) or 0)


async def lock_chats(session: AsyncSession, chat_ids: Sequence[int]) -> None:
    """Keeps other writers of these chats out until the end of the transaction."""
    await lock_bulk_chat_updates(session)
    await session.execute(
        text("SELECT FROM chats WHERE id = ANY(:ids) FOR UPDATE"), {"ids": list(chat_ids)}
    )


async def mark_unreadable(
    session: AsyncSession, chat: ChatToRead, *, message: str, gone: bool
) -> None:
    """Keeps why a chat's messages could not be read; one that Avito does not have is not asked for
    again until it is shown anew.
    """
    await session.execute(
        text("""
            UPDATE chats SET read_error = :message, messages_due = messages_due AND NOT (:gone AND hints = :hints) WHERE id = :id
            """),
        {"id": chat.id, "message": message, "gone": gone, "hints": chat.hints},
    )


# The grading is due by message and not by clock: what counts is whether a person's message comes
# after the last one seen.
_MARK_READ = text("""
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
        waiting_since = facts.waiting_since,
        due_since = facts.due_since,
        failures = CASE WHEN chat.outcome_message_id IS DISTINCT FROM facts.person_id THEN 0 ELSE chat.failures END
    FROM read, LATERAL (
        WITH told AS MATERIALIZED (SELECT id, sent_at, side FROM messages WHERE chat_id = read.id),
        person AS (SELECT * FROM told WHERE side <> 'system' ORDER BY sent_at DESC, id DESC LIMIT 1),
        answer AS (SELECT * FROM told WHERE side = 'company' ORDER BY sent_at DESC, id DESC LIMIT 1),
        seen AS (SELECT told.* FROM told JOIN chats known ON known.seen_message_id = told.id WHERE known.id = read.id)
        SELECT
            (SELECT max(sent_at) FROM told) AS last_message_at,
            (SELECT id FROM person) AS person_id,
            (SELECT sent_at FROM person) AS person_at,
            (SELECT side FROM person) AS person_side,
            (SELECT min(sent_at) FROM told WHERE side = 'client'
                AND (NOT EXISTS (SELECT FROM answer) OR (sent_at, id) > (SELECT sent_at, id FROM answer))) AS waiting_since,
            (SELECT min(sent_at) FROM told WHERE side <> 'system'
                AND (NOT EXISTS (SELECT FROM seen) OR (sent_at, id) > (SELECT sent_at, id FROM seen))) AS due_since
    ) facts
    WHERE chat.id = read.id
    """)


async def mark_read(
    session: AsyncSession, read: Iterable[tuple[ChatToRead, bool]], *, now: datetime
) -> None:
    """Draws the chats' own columns from their messages; the flag beside a chat says whether its
    history is there back to the first.

    A chat stays due where Avito's list or a webhook has shown newer activity since it was taken up.
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
