"""SQL of the leases of runs: claims, renewals and ends.

One run of a kind is executed at a time. Leases use the database's clock, which all replicas share.
Moments that people see use the caller's clock.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.database.copied_rows import copy_rows
from app.database.engine import Database
from app.models import Run, RunKind, RunState

LEASE_SECONDS = 30
"""After this time without a renewal another process may claim the run.

The worker renews every 10 s, so one missed renewal costs no run.
"""
_KILLED = (
    "Прервано: служба остановилась посреди работы и не записала итог, поэтому числа здесь могут"
    " быть меньше сделанного. Сделанное сохранено, вызовите ещё раз."
)
"""The message of a requested run whose process died.

Its figures are stored at most once a second, and not all of them can be computed from the tables.
"""
_LEASE_END = func.now() + timedelta(seconds=LEASE_SECONDS)


class Work(NamedTuple):
    """What an idle worker can do: claim a run of one of the kinds, or join an open grading run."""

    claimable: frozenset[str]
    is_open: bool


_OPEN = "open"
_FIND_WORK = f"""
    SELECT DISTINCT kind FROM runs
    WHERE state = '{RunState.RUNNING}' AND lease_until < now()
       OR state = '{RunState.QUEUED}' AND (slot IS NULL OR kind NOT IN (
              SELECT kind FROM runs WHERE state = '{RunState.QUEUED}' AND not_before > now()))
    UNION ALL
    SELECT '{_OPEN}' FROM runs
    WHERE kind = '{RunKind.ANALYZE}' AND state = '{RunState.RUNNING}' AND lease_until > now()
      AND help_token = lease_token
"""  # noqa: S608 - members of our enums


async def find_work(database: Database) -> Work:
    """Return what an idle worker can do, in one round trip: it is asked every few seconds.

    A claimable run is queued, or it is running and its lease has expired.
    """
    rows = await copy_rows(database, _FIND_WORK, {}, numbers=0)
    found = {kind.decode() for kind in rows.texts}
    return Work(frozenset(found - {_OPEN}), _OPEN in found)


async def claim_run(
    session: AsyncSession,
    kind: RunKind,
    token: uuid.UUID,
    *,
    now: datetime,
    only: int | None = None,
) -> Run | None:
    """Claim the next run of a kind: a scheduled one whose process died, else the oldest queued one.

    Return None if a run of the kind has a lease or there is none to claim. A scheduled run is not
    claimed before its ``not_before`` or that of another run of its kind. ``only``: no other queued
    run than this one.

    A requested run whose process died ends as interrupted: its caller is gone, and its stored
    results are kept.
    """
    await _interrupt_dead(session, kind, now)
    for candidates in (_select_dead(kind), _select_oldest(kind, only)):
        try:
            claimed = await _claim_first(session, candidates, token, now)
        except IntegrityError:  # the partial unique index: a run of this kind is running
            return None
        if claimed is not None:
            return claimed
    return None


async def _interrupt_dead(session: AsyncSession, kind: RunKind, now: datetime) -> None:
    """End the requested runs whose process died."""
    await session.execute(
        update(Run)
        .where(
            Run.kind == kind,
            Run.state == RunState.RUNNING,
            Run.slot.is_(None),
            Run.lease_until < func.now(),
        )
        .values(state=RunState.INTERRUPTED, finished_at=now, message=_KILLED)
    )


def _select_dead(kind: RunKind) -> Select[Any]:
    return select(Run.id).where(
        Run.kind == kind, Run.state == RunState.RUNNING, Run.lease_until < func.now()
    )


def _select_oldest(kind: RunKind, only: int | None) -> Select[Any]:
    queued = Run.kind == kind, Run.state == RunState.QUEUED
    paused = select(Run.id).where(*queued, Run.not_before > func.now()).correlate(None).exists()
    oldest = select(Run.id).where(*queued, Run.slot.is_(None) | ~paused).order_by(Run.id).limit(1)
    return oldest if only is None else oldest.where(Run.id == only)


async def _claim_first(
    session: AsyncSession, candidates: Select[Any], token: uuid.UUID, now: datetime
) -> Run | None:
    # Not IN: Postgres may evaluate its subquery again for each row, and would then find the next
    # candidate after it has claimed the first one.
    statement = (
        update(Run)
        .where(Run.id == candidates.with_for_update().scalar_subquery())
        .values(
            state=RunState.RUNNING,
            lease_token=token,
            lease_until=_LEASE_END,
            started_at=func.coalesce(Run.started_at, now),
        )
        .returning(Run)
    )
    async with session.begin_nested():
        return (
            await session.scalars(statement, execution_options={"populate_existing": True})
        ).one_or_none()


async def renew_lease(
    session: AsyncSession,
    run_id: int,
    token: uuid.UUID,
    *,
    figures: Mapping[str, Any],
    done: int,
    total: int | None,
) -> bool:
    """Extend the lease and store the progress. False if the lease is lost."""
    statement = (
        update(Run)
        .where(Run.id == run_id, Run.lease_token == token, Run.state == RunState.RUNNING)
        .values(
            lease_until=_LEASE_END,
            figures=dict(figures),
            progress_done=done,
            progress_total=total,
        )
        .returning(Run.id)
    )
    return await session.scalar(statement) is not None


async def is_leased(session: AsyncSession, run_id: int, token: uuid.UUID) -> bool:
    """Return whether the run still has this lease."""
    statement = select(Run.id).where(
        Run.id == run_id, Run.lease_token == token, Run.state == RunState.RUNNING
    )
    return await session.scalar(statement) is not None


async def end_run(
    session: AsyncSession,
    run_id: int,
    token: uuid.UUID,
    state: RunState,
    *,
    now: datetime,
    message: str | None,
    figures: Mapping[str, Any],
    done: int,
    total: int | None,
    problems: Sequence[Mapping[str, Any]] | None = None,
    pause: timedelta | None = None,
) -> None:
    """Store the end of a run, or queue it again; write nothing if the lease is lost.

    ``pause``: the database failed during the run, and no process may claim it before this time has
    passed.
    """
    await session.execute(
        update(Run)
        .where(Run.id == run_id, Run.lease_token == token, Run.state == RunState.RUNNING)
        .values(
            state=state,
            finished_at=None if state is RunState.QUEUED else now,
            lease_until=None,
            lease_token=None,
            message=message,
            figures=dict(figures),
            problems=None if problems is None else list(problems),
            progress_done=done,
            progress_total=total,
            not_before=None if pause is None else func.now() + pause,
            returned_count=Run.returned_count + int(pause is not None),
        )
    )
