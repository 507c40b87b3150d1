"""SQL of the messages."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import DateTime, Select, and_, any_, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.author_kinds import AuthorKind, AuthorReason
from app.domain.messages import Side
from app.models import Message
from app.repositories.message_conditions import is_bot, read_call_status
from app.repositories.sql_values import bigint_array

# A new message of the company gets the author that most have, so that few rows are written again
# when the author is decided. The author of a changed text is decided again. A deleted message keeps
# its stored text; only deleted_at is set. Content that is only the text is absent, or present in a
# row of an earlier release. Unchanged rows are left out before the INSERT: ON CONFLICT locks each
# row, which writes it. OFFSET 0 keeps the planner from a scan of the table. Raw SQL: a bulk upsert
# from jsonb_to_recordset.
_UPSERT = text(f"""
    WITH page AS (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS row (
            n int, chat_id bigint, avito_id text, side text, author_id bigint, type text,
            text text, has_text boolean, content jsonb, quote jsonb, sent_at timestamptz,
            is_read boolean, read_at timestamptz, deleted_at timestamptz)
    ), changed AS (
        SELECT page.*
        FROM page LEFT JOIN LATERAL (
            SELECT * FROM messages
            WHERE chat_id = page.chat_id AND avito_id = page.avito_id OFFSET 0) known ON true
        WHERE known.id IS NULL
           OR (known.is_read, known.read_at)
                  IS DISTINCT FROM (coalesce(page.is_read, known.is_read),
                                    coalesce(page.read_at, known.read_at))
           OR (page.deleted_at IS NOT NULL AND known.deleted_at IS NULL)
           OR (page.deleted_at IS NULL
               AND (known.type, known.text, known.quote,
                    coalesce(known.content, jsonb_build_object('text', known.text)))
                   IS DISTINCT FROM
                   (page.type, page.text, coalesce(page.quote, known.quote),
                    coalesce(page.content, jsonb_build_object('text', page.text))))
    ), written AS (
        INSERT INTO messages AS known (
            chat_id, avito_id, side, author_id, type, text, has_text, content, quote, sent_at,
            is_read, read_at, deleted_at, author_kind, author_reason)
        SELECT chat_id, avito_id, side, author_id, type, text, has_text, content, quote, sent_at,
               is_read, read_at, deleted_at,
               CASE side WHEN '{Side.COMPANY}' THEN '{AuthorKind.PERSON}' END,
               CASE side WHEN '{Side.COMPANY}' THEN '{AuthorReason.HUMAN_PACE}' END
        FROM changed ORDER BY chat_id, n
        ON CONFLICT (chat_id, avito_id) DO UPDATE SET
            type = CASE WHEN excluded.deleted_at IS NULL THEN excluded.type ELSE known.type END,
            text = CASE WHEN excluded.deleted_at IS NULL THEN excluded.text ELSE known.text END,
            author_kind = CASE WHEN excluded.deleted_at IS NULL AND excluded.text <> known.text
                THEN NULL ELSE known.author_kind END,
            has_text = CASE WHEN excluded.deleted_at IS NULL
                THEN excluded.has_text ELSE known.has_text END,
            content = CASE WHEN excluded.deleted_at IS NULL
                THEN excluded.content ELSE known.content END,
            quote = coalesce(excluded.quote, known.quote),
            is_read = coalesce(excluded.is_read, known.is_read),
            read_at = coalesce(excluded.read_at, known.read_at),
            deleted_at = coalesce(known.deleted_at, excluded.deleted_at)
        RETURNING chat_id, id, xmax = 0 AS is_new,
            side = '{Side.COMPANY}' AND (xmax = 0 OR author_kind IS NULL) AS is_undecided
    )
    SELECT chat_id, count(*) FILTER (WHERE is_new) AS new,
           array_agg(id) FILTER (WHERE is_undecided) AS undecided
    FROM written GROUP BY chat_id
    """)  # noqa: S608 - enum values of the domain


class WrittenMessages(NamedTuple):
    """What an upsert has written.

    ``new``: the number of new messages by chat, for chats that have new ones. ``undecided``: the
    messages whose author the caller must decide in the same transaction.
    """

    new: dict[int, int]
    undecided: list[int]


async def upsert_messages(
    session: AsyncSession, rows: Sequence[Mapping[str, Any]]
) -> WrittenMessages:
    """Upsert messages of any chats. The caller has locked the chats.

    ``rows`` contain a message at most once; within a chat they are inserted in the order of ``n``.
    """
    result = await session.execute(_UPSERT, {"rows": json.dumps(rows, default=str)})
    written = result.all()
    undecided = [message_id for row in written for message_id in row.undecided or ()]
    return WrittenMessages({row.chat_id: row.new for row in written if row.new}, undecided)


async def list_known(session: AsyncSession, chat_id: int, avito_ids: list[str]) -> set[str]:
    """Return those of these Avito ids that the chat has already."""
    found = await session.scalars(
        select(Message.avito_id).where(Message.chat_id == chat_id, Message.avito_id.in_(avito_ids))
    )
    return set(found)


async def list_messages(session: AsyncSession, chat_id: int) -> list[Message]:
    """Return all messages of the chat, oldest first.

    Within one second system messages come last.
    """
    statement = (
        select(Message)
        .where(Message.chat_id == chat_id)
        .order_by(Message.sent_at, Message.side == Side.SYSTEM, Message.id)
    )
    return list(await session.scalars(statement))


class MessageWords(NamedTuple):
    """The columns of a message that grading needs."""

    chat_id: int
    id: int
    side: str
    sent_at: datetime
    text: str
    has_text: bool
    type: str
    call_status: str | None
    author_kind: str | None


_WORDS = (
    Message.chat_id,
    Message.id,
    Message.side,
    Message.sent_at,
    Message.text,
    Message.has_text,
    Message.type,
    read_call_status(),
    Message.author_kind,
)


async def list_words(
    session: AsyncSession, chat_ids: Collection[int]
) -> dict[int, list[MessageWords]]:
    """Return the messages by chat, in the order of ``list_messages``."""
    return await _list_words(session, select(*_WORDS).where(Message.chat_id.in_(chat_ids)))


async def list_words_since(
    session: AsyncSession, starts: Mapping[int, datetime]
) -> dict[int, list[MessageWords]]:
    """Return the messages of each chat from its time on, in the same order."""
    wanted = (
        func.unnest(bigint_array(starts), literal(list(starts.values()), ARRAY(DateTime(True))))
        .table_valued("chat_id", "since", name="wanted")
        .render_derived()
    )
    is_wanted = and_(wanted.c.chat_id == Message.chat_id, Message.sent_at >= wanted.c.since)
    return await _list_words(session, select(*_WORDS).join(wanted, is_wanted))


async def _list_words(
    session: AsyncSession, statement: Select[Any]
) -> dict[int, list[MessageWords]]:
    ordered = statement.order_by(
        Message.chat_id, Message.sent_at, Message.side == Side.SYSTEM, Message.id
    )
    rows = map(MessageWords._make, await session.execute(ordered))
    return {chat_id: list(words) for chat_id, words in groupby(rows, key=attrgetter("chat_id"))}


async def get_messages(session: AsyncSession, message_ids: Collection[int]) -> dict[int, Message]:
    """Return these messages by number."""
    return {
        message.id: message
        for message in await session.scalars(select(Message).where(Message.id.in_(message_ids)))
    }


async def list_bots(session: AsyncSession, message_ids: Collection[int]) -> set[int]:
    """Return those of these messages that a bot of the company wrote."""
    chosen = Message.id == any_(bigint_array(message_ids))
    return set(await session.scalars(select(Message.id).where(chosen, is_bot())))


async def get_newest_message_id(session: AsyncSession) -> int:
    """Return the number of the newest message.

    The caller makes sure that no sync writes messages.
    """
    return int(await session.scalar(select(func.coalesce(func.max(Message.id), 0))) or 0)
