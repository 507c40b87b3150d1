"""SQL of the runs that a caller has requested again with the same parameters."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Text,
    and_,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.models import Run, RunKind, RunState
from app.repositories.sql_values import inline

REPEATS = "repeats"
"""The parameter with the number of the first unfinished run with the same parameters."""
CONTINUED_FOR = timedelta(hours=1)
"""An interrupted run counts as unfinished for this time: its caller was asked to retry."""
# An arbitrary number that all processes of the service share.
_SAME_WORK = 5_318_008_203


def _is_same(kind: str, params: Mapping[str, Any], run: type[Run] = Run) -> ColumnElement[bool]:
    """Return whether a run was requested by a caller with these parameters."""
    requested = run.params.op("-", return_type=JSONB())(literal(REPEATS, Text))
    return and_(run.kind == kind, run.slot.is_(None), requested == literal(dict(params), JSONB()))


async def get_first_unfinished(
    session: AsyncSession, kind: RunKind, params: Mapping[str, Any], *, now: datetime
) -> int | None:
    """Return the first unfinished run with these parameters.

    A run that was interrupted within ``CONTINUED_FOR`` counts as unfinished.

    A lock is held until the transaction ends: of two simultaneous calls the second one sees the run
    of the first.
    """
    is_open = Run.state.in_([inline(RunState.QUEUED), inline(RunState.RUNNING)])
    is_continued = and_(
        Run.state == inline(RunState.INTERRUPTED), Run.finished_at > now - CONTINUED_FOR
    )
    later = aliased(Run, name="later")
    ended_later = exists().where(
        _is_same(kind, params, later),
        later.state.in_([RunState.DONE, RunState.FAILED]),
        later.id > Run.id,
    )
    first = func.coalesce(cast(Run.params[REPEATS].astext, BigInteger), Run.id)
    statement = select(func.min(first)).where(
        _is_same(kind, params), or_(is_open, is_continued), ~ended_later
    )
    await session.execute(select(func.pg_advisory_xact_lock(_SAME_WORK)))
    return await session.scalar(statement)


async def list_repeated(session: AsyncSession, run: Run) -> dict[int, RunState]:
    """Return the started runs with the parameters of this one.

    They were unfinished when it was requested, or were requested since.
    """
    requested = {name: value for name, value in run.params.items() if name != REPEATS}
    statement = (
        select(Run.id, Run.state)
        .where(
            _is_same(run.kind, requested),
            Run.started_at.is_not(None),
            Run.id >= run.params.get(REPEATS, run.id),
            Run.id != run.id,
        )
        .order_by(Run.id)
    )
    return {run_id: RunState(state) for run_id, state in await session.execute(statement)}
