"""SQL of the columns of a chat that derive from its messages and their authors."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import any_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.outcomes import Outcome, OutcomeCode
from app.models import Chat
from app.repositories.chat_locks import lock_accounts_of
from app.repositories.message_conditions import (
    begins_wait,
    ends_wait,
    is_by_person,
    is_lead,
    render,
)
from app.repositories.sql_values import bigint_array

# A chat becomes due by the order of its messages, not by the clock: a person's message after the
# last one that a grading has seen makes it due, or a notice of a lead while nobody has written.
_SELECT_FACTS = f"""
        WITH stored AS MATERIALIZED (
            SELECT id, sent_at, side, {render(is_by_person())} AS is_by_person,
                   {render(begins_wait())} AS begins_wait,
                   {render(ends_wait())} AS ends_wait, {render(is_lead())} AS is_lead
            FROM messages WHERE chat_id = changed.id),
        person AS (
            SELECT * FROM stored WHERE is_by_person
            ORDER BY sent_at DESC, id DESC LIMIT 1),
        lead AS (
            SELECT * FROM stored WHERE is_lead AND NOT EXISTS (SELECT FROM person)
            ORDER BY sent_at DESC, id DESC LIMIT 1),
        answer AS (
            SELECT * FROM stored WHERE ends_wait ORDER BY sent_at DESC, id DESC LIMIT 1),
        seen AS (
            SELECT stored.* FROM stored JOIN chats known ON known.seen_message_id = stored.id
            WHERE known.id = changed.id)
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
                WHERE (is_by_person OR id = (SELECT id FROM lead))
                AND (NOT EXISTS (SELECT FROM seen)
                     OR (sent_at, id) > (SELECT sent_at, id FROM seen))) AS due_since
"""  # noqa: S608 - values of the domain
_SET_FACTS = """
        last_message_at = facts.last_message_at,
        last_person_message_id = facts.person_id,
        last_person_at = facts.person_at,
        last_person_side = facts.person_side,
        lead_message_id = facts.lead_id,
        unanswered_since = facts.unanswered_since,
        due_since = facts.due_since,
        failures = CASE WHEN chat.outcome_message_id IS DISTINCT FROM facts.person_id
            THEN 0 ELSE chat.failures END
"""

# Raw SQL: a bulk update from jsonb_to_recordset.
_MARK_READ = text(f"""
    WITH changed AS (
        SELECT * FROM jsonb_to_recordset(CAST(:chats AS jsonb)) AS row (
            id bigint, updated_at timestamptz, listed text, hints bigint, complete boolean)
    )
    UPDATE chats chat SET
        messages_read_at = :now,
        messages_due = (chat.avito_updated_at, chat.listed_message_id, chat.hints)
            IS DISTINCT FROM (changed.updated_at, changed.listed, changed.hints),
        history_complete = changed.complete,
        read_error = NULL,
        {_SET_FACTS}
    FROM changed, LATERAL ({_SELECT_FACTS}) facts
    WHERE chat.id = changed.id
    """)  # noqa: S608 - values of the domain
_REFRESH = text(f"""
    WITH changed AS (SELECT unnest(CAST(:chat_ids AS bigint[])) AS id)
    UPDATE chats chat SET {_SET_FACTS}
    FROM changed, LATERAL ({_SELECT_FACTS}) facts
    WHERE chat.id = changed.id
    """)  # noqa: S608 - values of the domain
# The answer may have turned out to be a person's. Raw SQL: like the statement before it.
_FORGET_SKIPPED = text(f"""
    UPDATE chats SET seen_message_id = NULL
    WHERE id = ANY(CAST(:chat_ids AS bigint[])) AND outcome = '{Outcome.SKIPPED}'
      AND outcome_code = '{OutcomeCode.ONLY_BOT_ANSWERED}'
    """)  # noqa: S608 - values of the domain


async def lock_chats(session: AsyncSession, chat_ids: Sequence[int]) -> None:
    """Lock these chats until the transaction ends."""
    await lock_accounts_of(session, chat_ids)
    rows = select(Chat.id).where(Chat.id == any_(bigint_array(chat_ids))).with_for_update()
    await session.execute(rows)


async def mark_read(
    session: AsyncSession, rows: Iterable[Mapping[str, object]], *, now: datetime
) -> None:
    """Update the chats whose messages have been read.

    ``rows``: ``id``; ``updated_at``, ``listed`` and ``hints`` as they were before the reading;
    ``complete``: the history is copied back to the first message. A chat stays unread if Avito's
    list or a webhook has shown newer activity since.
    """
    chats = json.dumps(list(rows), default=str)
    await session.execute(_MARK_READ, {"chats": chats, "now": now})


async def refresh_chats(session: AsyncSession, chat_ids: Sequence[int]) -> None:
    """Update the chats in which messages have got another author.

    A chat that was skipped because only a bot had answered is graded if a person has. The caller
    has locked the chats.
    """
    if chat_ids:
        parameters = {"chat_ids": list(chat_ids)}
        await session.execute(_FORGET_SKIPPED, parameters)
        await session.execute(_REFRESH, parameters)
