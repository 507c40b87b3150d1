"""SQL of the chats for sync: upserts from Avito's list, and unread chats."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Text, any_, func, literal, select, text, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.messages import SETTLED_AFTER, Side
from app.models import Account, Chat
from app.repositories.locks import lock_bulk_chat_updates
from app.repositories.sql_values import bigint_array


@dataclass(frozen=True)
class ListedCount:
    """Numbers of chats that one page of Avito's list has changed: new chats, unread chats."""

    new: int
    due: int


@dataclass(frozen=True)
class ChatToRead:
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


# A change of a chat without a time or a last message cannot be detected, so it is always unread.
# Raw SQL: a bulk upsert from jsonb_to_recordset.
_UPSERT_LISTED = text("""
    WITH listed AS (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS row (
            avito_id text, chat_type text, item_id bigint, item_title text, item_url text,
            item_price text, client_id bigint, client_name text, avito_created_at timestamptz,
            avito_updated_at timestamptz, listed_message_id text)
    ), written AS (
        INSERT INTO chats AS known (
            account_id, avito_id, chat_type, item_id, item_title, item_url, item_price, client_id,
            client_name, avito_created_at, avito_updated_at, listed_message_id, messages_due)
        SELECT :account_id, avito_id, chat_type, item_id, item_title, item_url, item_price,
               client_id, client_name, avito_created_at, avito_updated_at, listed_message_id, true
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
                            (excluded.avito_updated_at IS NULL)
                                <> (known.avito_updated_at IS NULL))
                OR coalesce(excluded.listed_message_id <> known.listed_message_id,
                            (excluded.listed_message_id IS NULL)
                                <> (known.listed_message_id IS NULL))
                OR (excluded.avito_updated_at IS NULL AND excluded.listed_message_id IS NULL)
        WHERE (known.chat_type, known.item_id, known.item_title, known.item_url, known.item_price,
               known.client_id, known.client_name, known.avito_created_at, known.avito_updated_at,
               known.listed_message_id)
            IS DISTINCT FROM
              (coalesce(excluded.chat_type, known.chat_type),
               coalesce(excluded.item_id, known.item_id),
               coalesce(excluded.item_title, known.item_title),
               coalesce(excluded.item_url, known.item_url),
               coalesce(excluded.item_price, known.item_price),
               coalesce(excluded.client_id, known.client_id),
               coalesce(excluded.client_name, known.client_name),
               coalesce(excluded.avito_created_at, known.avito_created_at),
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
    """Upsert one page of Avito's list and mark its changed chats as unread. If Avito omits a value,
    the stored one is kept.

    ``rows`` contain a chat at most once; their keys are the columns of the statement. ``reread``
    marks every chat of the page.
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


async def add_hint(
    session: AsyncSession, *, avito_user_id: int, avito_id: str, chat_type: str | None, times: int
) -> None:
    """Mark the chat that webhooks have named ``times`` times; insert it if it is not known. Without
    such an account nothing happens.
    """
    hinted = select(
        Account.id, literal(avito_id), literal(chat_type, Text), true(), literal(times, BigInteger)
    ).where(Account.avito_user_id == avito_user_id)
    columns = ["account_id", "avito_id", "chat_type", "messages_due", "hints"]
    statement = insert(Chat).from_select(columns, hinted)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[Chat.account_id, Chat.avito_id],
            set_={"messages_due": True, "hints": Chat.hints + statement.excluded.hints},
        )
    )


async def mark_hinted(
    session: AsyncSession, avito_user_id: int, avito_id: str, *, times: int
) -> bool:
    """Mark a known chat that webhooks have named ``times`` times; False if it is not known."""
    statement = (
        update(Chat)
        .where(
            Account.id == Chat.account_id,
            Account.avito_user_id == avito_user_id,
            Chat.avito_id == avito_id,
        )
        .values(messages_due=True, hints=Chat.hints + times)
        .returning(Chat.id)
        .execution_options(synchronize_session=False)
    )
    return (await session.execute(statement)).first() is not None


async def list_keys(
    session: AsyncSession, *, after_id: int, limit: int
) -> list[tuple[int, int, str]]:
    """The next chats by id: chat id, Avito's account id, Avito's chat id."""
    statement = (
        select(Chat.id, Account.avito_user_id, Chat.avito_id)
        .join(Account, Account.id == Chat.account_id)
        .where(Chat.id > after_id)
        .order_by(Chat.id)
        .limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in await session.execute(statement)]


_TO_READ = select(
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


async def list_to_read(
    session: AsyncSession, account_id: int, *, failed: bool, after_id: int, limit: int
) -> list[ChatToRead]:
    """The next unread chats by id. ``failed``: those with a read error, or those without one."""
    has_failed = Chat.read_error.is_not(None)
    statement = (
        _TO_READ.where(
            Chat.account_id == account_id,
            Chat.messages_due,
            has_failed if failed else ~has_failed,
            Chat.id > after_id,
        )
        .order_by(Chat.id)
        .limit(limit)
    )
    return [ChatToRead(*row) for row in await session.execute(statement)]


async def take_up_again(session: AsyncSession, chat: ChatToRead) -> ChatToRead:
    """The current state of the chat, before its messages are read."""
    return ChatToRead(*(await session.execute(_TO_READ.where(Chat.id == chat.id))).one())


async def get_readable(session: AsyncSession, account_id: int) -> str | None:
    """The Avito id of a chat whose last reading was successful: one that is not unread if there is
    any, the one read last.
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


async def list_item_ids(session: AsyncSession, account_id: int) -> list[int]:
    """The ids of the listings that the account's chats are about."""
    statement = (
        select(Chat.item_id)
        .where(Chat.account_id == account_id, Chat.item_id.is_not(None))
        .distinct()
        .order_by(Chat.item_id)
    )
    return [item_id for item_id in await session.scalars(statement) if item_id is not None]


async def count_to_read(session: AsyncSession, account_id: int) -> int:
    """The number of unread chats."""
    unread = select(func.count()).where(Chat.account_id == account_id, Chat.messages_due)
    return await session.scalar(unread) or 0


async def lock_chats(session: AsyncSession, chat_ids: Sequence[int]) -> None:
    """Lock these chats until the transaction ends."""
    await lock_bulk_chat_updates(session)
    rows = select(Chat.id).where(Chat.id == any_(bigint_array(chat_ids))).with_for_update()
    await session.execute(rows)


async def mark_unreadable(
    session: AsyncSession, chat: ChatToRead, *, message: str, gone: bool
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
# last one that a grading has seen makes it due.
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
        unanswered_since = facts.unanswered_since,
        waiting_since = facts.unanswered_since,
        due_since = facts.due_since,
        failures = CASE WHEN chat.outcome_message_id IS DISTINCT FROM facts.person_id
            THEN 0 ELSE chat.failures END
    FROM read, LATERAL (
        WITH told AS MATERIALIZED (
            SELECT id, sent_at, side FROM messages WHERE chat_id = read.id),
        person AS (
            SELECT * FROM told WHERE side <> '{Side.SYSTEM}'
            ORDER BY sent_at DESC, id DESC LIMIT 1),
        answer AS (
            SELECT * FROM told WHERE side = '{Side.COMPANY}'
            ORDER BY sent_at DESC, id DESC LIMIT 1),
        seen AS (
            SELECT told.* FROM told JOIN chats known ON known.seen_message_id = told.id
            WHERE known.id = read.id)
        SELECT
            (SELECT max(sent_at) FROM told) AS last_message_at,
            (SELECT id FROM person) AS person_id,
            (SELECT sent_at FROM person) AS person_at,
            (SELECT side FROM person) AS person_side,
            (SELECT min(sent_at) FROM told WHERE side = '{Side.CLIENT}'
                AND (NOT EXISTS (SELECT FROM answer)
                     OR (sent_at, id) > (SELECT sent_at, id FROM answer))) AS unanswered_since,
            (SELECT min(sent_at) FROM told WHERE side <> '{Side.SYSTEM}'
                AND (NOT EXISTS (SELECT FROM seen)
                     OR (sent_at, id) > (SELECT sent_at, id FROM seen))) AS due_since
    ) facts
    WHERE chat.id = read.id
    """)  # noqa: S608 - enum values of the domain


async def mark_read(
    session: AsyncSession, read: Iterable[tuple[ChatToRead, bool]], *, now: datetime
) -> None:
    """Update the chats' columns that derive from their messages.

    ``read``: chats, each with a flag whether its history is copied back to the first message. A
    chat stays unread if Avito's list or a webhook has shown newer activity since ``ChatToRead`` was
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
