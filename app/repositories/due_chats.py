"""SQL of the due chats: their claims and their outcomes.

``grading_scope`` defines which chats are due.
"""

import json
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    and_,
    any_,
    func,
    or_,
    select,
    text,
    true,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.domain.outcomes import Cause, Outcome, OutcomeCode
from app.models import Chat, Message
from app.repositories.chat_conditions import COMPANY_IS_BUYER, HAS_FAILED
from app.repositories.chat_locks import lock_accounts_of, lock_all_accounts
from app.repositories.grading_scope import (
    Scope,
    is_in_scope,
    is_left_loading,
    is_left_settling,
)
from app.repositories.message_conditions import is_by_person, render
from app.repositories.run_parts import select_live_tokens
from app.repositories.sql_values import bigint_array, text_array


@dataclass(frozen=True)
class ClaimedChat:
    """A chat that the run has claimed, with the columns that its report quotes."""

    id: int
    account_id: int
    avito_id: str
    title: str | None
    client_name: str | None
    company_is_buyer: bool


_DUE_OR_LAST = func.coalesce(Chat.due_since, datetime(9999, 1, 1, tzinfo=UTC))
"""The moment by which chats are ordered; chats without one come last."""


async def list_unknown(session: AsyncSession, chat_ids: Collection[str]) -> list[str]:
    """Return those of these Avito ids that no chat has, in the given order."""
    found = select(Chat.avito_id).where(Chat.avito_id == any_(text_array(chat_ids)))
    known = set(await session.scalars(found))
    return [chat_id for chat_id in chat_ids if chat_id not in known]


async def count_due(session: AsyncSession, scope: Scope, run_id: int) -> int:
    """Return the number of chats that the run has still to grade."""
    statement = select(func.count()).select_from(Chat).where(is_in_scope(scope, run_id))
    return await session.scalar(statement) or 0


async def count_settling(session: AsyncSession, scope: Scope, run_id: int) -> int:
    """Return the number of chats of the scope that wait because they are settling."""
    statement = select(func.count()).select_from(Chat).where(is_left_settling(scope, run_id))
    return await session.scalar(statement) or 0


async def count_loading(session: AsyncSession, scope: Scope, run_id: int) -> int:
    """Return the number of other chats of the scope whose account's first sync has not ended."""
    statement = select(func.count()).select_from(Chat).where(is_left_loading(scope, run_id))
    return await session.scalar(statement) or 0


async def count_by_outcome(session: AsyncSession, run_id: int) -> dict[Outcome, int]:
    """Return the number of chats that a run has handled, by outcome."""
    statement = (
        select(Chat.outcome, func.count())
        .where(Chat.outcome_run_id == run_id)
        .group_by(Chat.outcome)
    )
    return {Outcome(str(outcome)): count for outcome, count in await session.execute(statement)}


async def claim_due(
    session: AsyncSession, scope: Scope, run_id: int, token: uuid.UUID, *, limit: int
) -> list[ClaimedChat]:
    """Claim the chats that have been due longest, under the token of a part of the run.

    A chat with the token of another live part is being graded. Any other token belongs to a process
    that has lost its part: it is overwritten, and results of that process are rejected.
    """
    is_free = or_(
        Chat.grading_token.is_(None),
        and_(Chat.grading_token != token, Chat.grading_token.not_in(select_live_tokens())),
    )
    claimable = and_(is_in_scope(scope, run_id), is_free)
    due = select(Chat.id).where(claimable).order_by(Chat.due_since, Chat.id).limit(limit)
    while chat_ids := (await session.scalars(due)).all():
        await lock_accounts_of(session, chat_ids)
        if claimed := await _claim(session, chat_ids, claimable, token):
            return claimed
        await session.rollback()  # others have changed all of them; releases the locks
    return []


async def _claim(
    session: AsyncSession,
    chat_ids: Sequence[int],
    claimable: ColumnElement[bool],
    token: uuid.UUID,
) -> list[ClaimedChat]:
    statement = (
        update(Chat)
        .where(Chat.id == any_(bigint_array(chat_ids)), claimable)
        .values(grading_token=token)
        .returning(
            _DUE_OR_LAST,
            Chat.id,
            Chat.account_id,
            Chat.avito_id,
            Chat.item_title,
            Chat.client_name,
            COMPANY_IS_BUYER,
        )
        .execution_options(synchronize_session=False)
    )
    rows = await session.execute(statement)
    # UPDATE returns rows in any order.
    return [ClaimedChat(*row[1:]) for row in sorted(rows, key=lambda row: (row[0], row[1]))]


class DuePosition(NamedTuple):
    """A due chat with its position, and whether the company is its buyer.

    The chats that are due longest come first, those without a moment last.
    """

    chat_id: int
    due_since: datetime
    company_is_buyer: bool


async def list_due(
    session: AsyncSession, scope: Scope, run_id: int, *, after: DuePosition | None, limit: int
) -> list[DuePosition]:
    """Return the chats that a run would claim, in its order, without a claim."""
    statement = select(Chat.id, _DUE_OR_LAST, COMPANY_IS_BUYER).where(is_in_scope(scope, run_id))
    if after is not None:
        position = tuple_(_DUE_OR_LAST, Chat.id)
        statement = statement.where(position > tuple_(after.due_since, after.chat_id))
    rows = await session.execute(statement.order_by(_DUE_OR_LAST, Chat.id).limit(limit))
    return [DuePosition(*row) for row in rows]


class ChatOutcome(NamedTuple):
    """The outcome of one chat with its cause, and the last person's message that was seen."""

    chat_id: int
    outcome: Outcome
    cause: Cause | None
    seen_message_id: int


def _make_row(one: ChatOutcome) -> dict[str, object]:
    return {
        "chat_id": one.chat_id,
        "outcome": one.outcome,
        "code": one.cause.code if one.cause else None,
        "detail": one.cause.detail if one.cause else None,
        "seen_message_id": one.seen_message_id,
    }


# A graded or skipped chat has been seen up to its last message; a failed chat stays due.
# Raw SQL: a bulk update from jsonb_to_recordset. LIMIT gives the planner the number of rows.
_STORE_OUTCOMES = text(f"""
    WITH found AS (
        SELECT * FROM jsonb_to_recordset(CAST(:outcomes AS jsonb)) AS row (
            chat_id bigint, outcome text, code text, detail text, seen_message_id bigint)
        LIMIT :count
    )
    UPDATE chats chat SET
        outcome = found.outcome,
        outcome_code = found.code,
        outcome_detail = found.detail,
        outcome_message_id = found.seen_message_id,
        outcome_at = :now,
        outcome_run_id = :run_id,
        failures = CASE WHEN found.outcome = '{Outcome.FAILED}' THEN failures + 1 ELSE 0 END,
        seen_message_id = CASE WHEN found.outcome = '{Outcome.FAILED}'
            THEN chat.seen_message_id ELSE found.seen_message_id END,
        due_since = CASE WHEN found.outcome = '{Outcome.FAILED}' THEN chat.due_since ELSE (
            SELECT min(message.sent_at) FROM messages message, messages seen
            WHERE seen.id = found.seen_message_id AND message.chat_id = chat.id
              AND {render(is_by_person(aliased(Message, name="message")))}
              AND (message.sent_at, message.id) > (seen.sent_at, seen.id)) END,
        grading_token = NULL
    FROM found
    WHERE chat.id = found.chat_id AND grading_token = :token
    RETURNING chat.id, CASE WHEN found.outcome = '{Outcome.GRADED}'
        THEN nextval(pg_get_serial_sequence('reports', 'id')) ELSE 0 END AS number
    """)  # noqa: S608 - enum values of the domain


async def store_outcomes(
    session: AsyncSession,
    outcomes: Sequence[ChatOutcome],
    token: uuid.UUID,
    *,
    run_id: int,
    now: datetime,
) -> dict[int, int]:
    """Store the outcomes of chats and release their claims.

    If the lease of a chat is lost, nothing is written for it.

    Returns by chat the number for the report of a graded chat, which its stored body contains too,
    or 0. A chat whose lease is lost is not in the result.
    """
    parameters = {
        "outcomes": json.dumps([_make_row(one) for one in outcomes]),
        "count": len(outcomes),
        "token": token,
        "run_id": run_id,
        "now": now,
    }
    await lock_accounts_of(session, [one.chat_id for one in outcomes])
    return {row.id: row.number for row in await session.execute(_STORE_OUTCOMES, parameters)}


async def mark_waiting(
    session: AsyncSession, scope: Scope, run_id: int, *, cause: Cause, now: datetime
) -> None:
    """Store why a daily run did not reach these chats.

    Later runs then grade them at any age. Chats that have failed since their last message keep it.
    """
    await _mark_waiting(session, is_in_scope(scope, run_id), run_id, cause, now)


async def mark_settling(session: AsyncSession, scope: Scope, run_id: int, *, now: datetime) -> int:
    """Store that a run has left out the settling chats of the scope; return their number."""
    left = is_left_settling(scope, run_id)
    return await _mark_waiting(session, left, run_id, Cause(OutcomeCode.SETTLING), now)


async def _mark_waiting(
    session: AsyncSession, chats: ColumnElement[bool], run_id: int, cause: Cause, now: datetime
) -> int:
    statement = (
        update(Chat)
        .where(chats, HAS_FAILED.is_not(true()))
        .values(
            outcome=Outcome.WAITING,
            outcome_code=cause.code,
            outcome_detail=cause.detail,
            outcome_message_id=Chat.last_person_message_id,
            outcome_at=now,
            outcome_run_id=run_id,
        )
        .returning(Chat.id)
        .execution_options(synchronize_session=False)
    )
    await lock_all_accounts(session)
    return len((await session.scalars(statement)).all())
