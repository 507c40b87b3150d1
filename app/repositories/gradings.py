"""SQL of the chats as the analyzer sees them: which are due, who grades them, what came of it."""

import json
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.outcomes import Outcome
from app.repositories.locks import lock_bulk_chat_updates

MAX_FAILURES = 4
"""The first attempt and the three calls or daily runs after it; then only ``force`` tries again."""


@dataclass(frozen=True)
class Scope:
    """Which chats a run may grade.

    ``written_since``: only chats in which a person wrote since then, and those left failed or
    waiting (the daily run). ``chat_ids``: only these Avito ids. ``force``: failed and skipped chats
    again, and whatever ``chat_ids`` names, but for what runs from the number ``done_since`` on have
    settled and nobody has written in since.
    """

    written_since: datetime | None = None
    chat_ids: tuple[str, ...] | None = None
    force: bool = False
    done_since: int | None = None


@dataclass(frozen=True)
class ClaimedChat:
    """A chat under the run's lease, with what its report quotes of it."""

    id: int
    account_id: int
    avito_id: str
    title: str | None
    client_name: str | None


_IN_SCOPE = """
    last_person_message_id IS NOT NULL
    AND ((due_since IS NOT NULL AND (failures < :max_failures OR :force))
         OR (:force AND (outcome IN ('failed', 'skipped') OR CAST(:chat_ids AS text[]) IS NOT NULL)))
    AND (CAST(:chat_ids AS text[]) IS NULL OR avito_id = ANY(CAST(:chat_ids AS text[])))
    AND (CAST(:written_since AS timestamptz) IS NULL OR last_person_at >= :written_since OR outcome IN ('failed', 'waiting'))
    AND outcome_run_id IS DISTINCT FROM :run_id
    AND (:force AND outcome IN ('graded', 'skipped', 'failed') AND outcome_message_id = last_person_message_id
             AND outcome_run_id >= CAST(:done_since AS bigint)) IS NOT TRUE
"""


_DUE_OR_LAST = "coalesce(due_since, timestamptz '9999-01-01')"


def _parameters(scope: Scope, run_id: int) -> dict[str, object]:
    chat_ids = None if scope.chat_ids is None else list(scope.chat_ids)
    return {
        "max_failures": MAX_FAILURES,
        "force": scope.force,
        "chat_ids": chat_ids,
        "written_since": scope.written_since,
        "done_since": scope.done_since,
        "run_id": run_id,
    }


async def list_unknown(session: AsyncSession, chat_ids: Collection[str]) -> list[str]:
    """Those of these Avito ids that no chat has, in their order."""
    statement = text("""
        SELECT id FROM unnest(CAST(:chat_ids AS text[])) WITH ORDINALITY AS named (id, place)
        WHERE NOT EXISTS (SELECT FROM chats WHERE avito_id = named.id) ORDER BY place
        """)
    return list(await session.scalars(statement, {"chat_ids": list(chat_ids)}))


async def count_due(session: AsyncSession, scope: Scope, run_id: int) -> int:
    """How many chats the run has still to grade."""
    return int(
        await session.scalar(
            text(f"SELECT count(*) FROM chats WHERE {_IN_SCOPE}"), _parameters(scope, run_id)
        )
        or 0
    )  # noqa: S608


async def count_settled(session: AsyncSession, run_id: int) -> dict[Outcome, int]:
    """What became of the chats that a run has handled, by outcome."""
    rows = await session.execute(
        text("SELECT outcome, count(*) FROM chats WHERE outcome_run_id = :run_id GROUP BY outcome"),
        {"run_id": run_id},
    )
    return {Outcome(outcome): count for outcome, count in rows}


async def claim_due(
    session: AsyncSession, scope: Scope, run_id: int, token: uuid.UUID, *, limit: int
) -> list[ClaimedChat]:
    """Takes the chats that have been due longest under the run's lease.

    Only one run grades at a time, so a token that is not ours belongs to a process that has lost
    its run: it is overwritten, and whatever that process still finds out is not accepted.
    """
    statement = text(f"""
        UPDATE chats SET grading_token = :token
        WHERE id IN (SELECT id FROM chats WHERE {_IN_SCOPE} AND grading_token IS DISTINCT FROM :token
                     ORDER BY due_since, id LIMIT :limit)
        RETURNING {_DUE_OR_LAST} AS due, id, account_id, avito_id, item_title, client_name
        """)  # noqa: S608
    await lock_bulk_chat_updates(session)
    rows = await session.execute(
        statement, {**_parameters(scope, run_id), "token": token, "limit": limit}
    )
    return [ClaimedChat(*row[1:]) for row in sorted(rows)]  # an UPDATE returns them in any order


class DuePosition(NamedTuple):
    """A chat that is due and its place among them: the longest due come first, those without a date
    last.
    """

    chat_id: int
    due_since: datetime


async def list_due(
    session: AsyncSession, scope: Scope, run_id: int, *, after: DuePosition | None, limit: int
) -> list[DuePosition]:
    """The chats that a run would take, in its order, without taking them."""
    statement = text(f"""
        SELECT id, {_DUE_OR_LAST} FROM chats
        WHERE {_IN_SCOPE} AND (CAST(:after_id AS bigint) IS NULL OR ({_DUE_OR_LAST}, id) > (CAST(:after_since AS timestamptz), :after_id))
        ORDER BY {_DUE_OR_LAST}, id LIMIT :limit
        """)  # noqa: S608
    place = {"after_id": after and after.chat_id, "after_since": after and after.due_since}
    rows = await session.execute(statement, {**_parameters(scope, run_id), **place, "limit": limit})
    return [DuePosition(*row) for row in rows]


class Settled(NamedTuple):
    """What came of one chat: an outcome with its reason, and the last person's message that was
    seen.
    """

    chat_id: int
    outcome: Outcome
    reason: str | None
    seen_message_id: int


# A skipped chat has been seen whole, as a graded one has; a failed one stays due.
_SETTLE = text("""
    WITH settled AS (
        SELECT * FROM jsonb_to_recordset(CAST(:settled AS jsonb)) AS row (chat_id bigint, outcome text, reason text, seen_message_id bigint)
    )
    UPDATE chats chat SET
        outcome = settled.outcome, outcome_reason = settled.reason, outcome_message_id = settled.seen_message_id, outcome_at = :now,
        outcome_run_id = :run_id,
        failures = CASE WHEN settled.outcome = 'failed' THEN failures + 1 ELSE 0 END,
        seen_message_id = CASE WHEN settled.outcome = 'failed' THEN chat.seen_message_id ELSE settled.seen_message_id END,
        due_since = CASE WHEN settled.outcome = 'failed' THEN chat.due_since ELSE (
            SELECT min(message.sent_at) FROM messages message, messages seen
            WHERE seen.id = settled.seen_message_id AND message.chat_id = chat.id AND message.side <> 'system'
              AND (message.sent_at, message.id) > (seen.sent_at, seen.id)) END,
        grading_token = NULL
    FROM settled
    WHERE chat.id = settled.chat_id AND grading_token = :token
    RETURNING chat.id, CASE WHEN settled.outcome = 'graded' THEN nextval(pg_get_serial_sequence('reports', 'id')) ELSE 0 END AS number
    """)


async def settle(
    session: AsyncSession,
    settled: Sequence[Settled],
    token: uuid.UUID,
    *,
    run_id: int,
    now: datetime,
) -> dict[int, int]:
    """Writes what came of chats and gives them back; where the lease was lost, nothing is written.

    Returns by chat the number that the report of a graded one is to have, which stands in its
    stored body as well; else 0. A chat whose lease was lost is not in it.
    """
    parameters = {
        "settled": json.dumps([one._asdict() for one in settled]),
        "token": token,
        "run_id": run_id,
        "now": now,
    }
    await lock_bulk_chat_updates(session)
    return {row.id: row.number for row in await session.execute(_SETTLE, parameters)}


async def mark_waiting(
    session: AsyncSession, scope: Scope, run_id: int, *, reason: str, now: datetime
) -> None:
    """Keeps why a daily run did not reach these chats, so that later runs take them however old
    they get. A failure stays one.
    """
    statement = text(f"""
        UPDATE chats SET outcome = 'waiting', outcome_reason = :reason, outcome_message_id = last_person_message_id, outcome_at = :now,
                         outcome_run_id = :run_id
        WHERE {_IN_SCOPE} AND outcome IS DISTINCT FROM 'failed'
        """)  # noqa: S608
    await lock_bulk_chat_updates(session)
    await session.execute(statement, {**_parameters(scope, run_id), "reason": reason, "now": now})
