"""SQL of the company's replies: their uses, the decisions about templates, the authors' kinds."""

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, any_, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.domain.author_kinds import AuthorKind, AuthorReason
from app.domain.messages import Side
from app.domain.replies import KeyedReply
from app.models import Chat, Message
from app.repositories.message_conditions import is_lead
from app.repositories.sql_values import bigint_array, inline


class ChatNames(NamedTuple):
    """What of a chat varies between copies of a text."""

    chat_id: int
    account_id: int
    client_name: str | None
    item_title: str | None


BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""A time before all messages."""
_IS_UNDECIDED = (Message.side == inline(Side.COMPANY)) & Message.author_kind.is_(None)


async def list_undecided_chats(session: AsyncSession, *, after_id: int, limit: int) -> list[int]:
    """Return the next chats, by number, with messages whose author is not decided."""
    statement = (
        select(Message.chat_id)
        .distinct()
        .where(_IS_UNDECIDED, Message.chat_id > after_id)
        .order_by(Message.chat_id)
        .limit(limit)
    )
    return list(await session.scalars(statement))


async def list_context_starts(
    session: AsyncSession, message_ids: Collection[int]
) -> dict[int, datetime]:
    """Return by chat the time from which messages are needed to decide these ones.

    The first of these messages follows a message of the buyer. The time is that of the last message
    of the company before this message of the buyer.
    """
    return await _list_context_starts(session, Message.id == any_(bigint_array(message_ids)))


async def list_undecided_starts(
    session: AsyncSession, chat_ids: Collection[int]
) -> dict[int, datetime]:
    """Return the same time for the undecided messages of these chats; skip chats without any."""
    return await _list_context_starts(
        session, Message.chat_id == any_(bigint_array(chat_ids)), _IS_UNDECIDED
    )


async def _list_context_starts(
    session: AsyncSession, *to_decide: ColumnElement[bool]
) -> dict[int, datetime]:
    asked, before = (aliased(Message, name=name) for name in ("asked", "before"))
    first = (
        select(Message.chat_id, func.min(Message.sent_at).label("sent_at"))
        .where(*to_decide)
        .group_by(Message.chat_id)
        .subquery("first")
    )
    asked_at = (
        select(func.max(asked.sent_at))
        .where(
            asked.chat_id == first.c.chat_id,
            asked.sent_at <= first.c.sent_at,
            or_(asked.side == Side.CLIENT, is_lead(asked)),
        )
        .correlate(first)
        .scalar_subquery()
    )
    answered_at = (
        select(func.max(before.sent_at))
        .where(
            before.chat_id == first.c.chat_id,
            before.side == Side.COMPANY,
            before.sent_at < asked_at,
        )
        .correlate(first)
        .scalar_subquery()
    )
    statement = select(first.c.chat_id, func.coalesce(answered_at, BEGINNING))
    return {row[0]: row[1] for row in await session.execute(statement)}


async def list_chat_ids(
    session: AsyncSession, account_id: int, *, after_id: int, limit: int
) -> list[int]:
    """Return the next chats of an account, by number."""
    statement = (
        select(Chat.id)
        .where(Chat.account_id == account_id, Chat.id > after_id)
        .order_by(Chat.id)
        .limit(limit)
    )
    return list(await session.scalars(statement))


async def list_chat_names(session: AsyncSession, chat_ids: Collection[int]) -> list[ChatNames]:
    """Return the names of these chats."""
    statement = select(Chat.id, Chat.account_id, Chat.client_name, Chat.item_title).where(
        Chat.id == any_(bigint_array(chat_ids))
    )
    return [ChatNames(*row) for row in await session.execute(statement)]


# Raw SQL: a bulk upsert from jsonb_to_recordset.
_UPSERT_USES = text("""
    INSERT INTO reply_uses AS known (
        message_id, key, gap_seconds, wait_seconds, is_opening, is_listed, characters)
    SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS row (
        message_id bigint, key bigint, gap_seconds bigint, wait_seconds bigint,
        is_opening boolean, is_listed boolean, characters bigint)
    ON CONFLICT (message_id) DO UPDATE SET
        key = excluded.key, gap_seconds = excluded.gap_seconds,
        wait_seconds = excluded.wait_seconds, is_opening = excluded.is_opening,
        is_listed = excluded.is_listed, characters = excluded.characters
    WHERE known IS DISTINCT FROM excluded
    """)


async def upsert_uses(session: AsyncSession, uses: Iterable[KeyedReply]) -> None:
    """Upsert replies of any chats."""
    rows = [
        {
            "message_id": use.message_id,
            "key": use.key,
            "gap_seconds": use.reply.gap_seconds,
            "wait_seconds": use.reply.wait_seconds,
            "is_opening": use.reply.is_opening,
            "is_listed": use.reply.is_listed,
            "characters": use.reply.characters,
        }
        for use in uses
    ]
    if rows:
        await session.execute(_UPSERT_USES, {"rows": json.dumps(rows)})


# Raw SQL: a bulk update from arrays that returns values from before it.
_SET_KINDS = text(f"""
    WITH decided AS (
        SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:kinds AS text[]),
                             CAST(:reasons AS text[])) AS row (id, kind, reason)
    ), changed AS (
        SELECT decided.*, message.chat_id,
               coalesce(message.author_kind, '') = '{AuthorKind.BOT}' AS was_bot
        FROM decided JOIN messages message ON message.id = decided.id
        WHERE (message.author_kind, message.author_reason)
            IS DISTINCT FROM (decided.kind, decided.reason)
    ), written AS (
        UPDATE messages SET author_kind = changed.kind, author_reason = changed.reason
        FROM changed WHERE messages.id = changed.id
    )
    SELECT DISTINCT chat_id FROM changed WHERE was_bot <> (kind = '{AuthorKind.BOT}')
    """)  # noqa: S608 - values of the domain


async def set_author_kinds(
    session: AsyncSession, kinds: Sequence[tuple[int, AuthorKind, AuthorReason]]
) -> list[int]:
    """Store kind and reason of the authors of these messages.

    Returns the chats in which a message has become a bot's, or is one no longer.
    """
    if not kinds:
        return []
    ids, kind_names, reasons = zip(*kinds, strict=True)
    parameters = {"ids": list(ids), "kinds": list(kind_names), "reasons": list(reasons)}
    return list(await session.scalars(_SET_KINDS, parameters))
