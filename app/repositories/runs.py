"""SQL of the runs: queue, slots, merged days and lost costs.

Claims and leases are in ``run_leases``, calls that repeat a run in ``repeated_runs``.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    any_,
    func,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import NotFoundError
from app.models import Run, RunKind, RunState


async def add_run(
    session: AsyncSession,
    kind: RunKind,
    *,
    now: datetime,
    params: Mapping[str, Any] | None = None,
    slot: str | None = None,
    parent_id: int | None = None,
    state: RunState = RunState.QUEUED,
) -> int | None:
    """Queue a run. None if the slot has a run already."""
    statement = (
        insert(Run)
        .values(
            kind=kind,
            slot=slot,
            parent_id=parent_id,
            state=state,
            params=dict(params or {}),
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=[Run.kind, Run.slot])
        .returning(Run.id)
    )
    return await session.scalar(statement)


async def get_run(session: AsyncSession, run_id: int) -> Run | None:
    """Return the current state of a run."""
    return await session.get(Run, run_id, populate_existing=True)


async def require_run(session: AsyncSession, run_id: int) -> Run:
    """Return the current state of a run.

    Raises:
        NotFoundError: there is no run with this number.
    """
    run = await get_run(session, run_id)
    if run is None:
        raise NotFoundError(f"Запуска {run_id} нет: номера запусков — в поле id ответа GET /runs.")
    return run


async def get_run_by_slot(session: AsyncSession, kind: RunKind, slot: str) -> Run | None:
    """Return a scheduled run by its unique slot."""
    return (
        await session.scalars(select(Run).where(Run.kind == kind, Run.slot == slot))
    ).one_or_none()


async def list_children(session: AsyncSession, parent_id: int) -> list[Run]:
    """Return the steps of a daily run, in the order of creation."""
    return list(
        await session.scalars(select(Run).where(Run.parent_id == parent_id).order_by(Run.id))
    )


async def list_runs(
    session: AsyncSession, *, limit: int, before_id: int | None = None
) -> list[Run]:
    """Return runs, newest first."""
    statement = select(Run).order_by(Run.id.desc()).limit(limit)
    return list(
        await session.scalars(
            statement if before_id is None else statement.where(Run.id < before_id)
        )
    )


async def add_lost_cost(session: AsyncSession, run_id: int, usd: Decimal) -> None:
    """Add the cost of model calls without a report. The daily budget includes it."""
    await session.execute(update(Run).where(Run.id == run_id).values(lost_usd=Run.lost_usd + usd))


async def sum_lost_cost(session: AsyncSession, start: datetime, end: datetime) -> Decimal:
    """Return the cost in USD of calls without a report, for runs started in ``[start, end)``."""
    statement = select(func.coalesce(func.sum(Run.lost_usd), 0)).where(
        Run.started_at >= start, Run.started_at < end
    )
    return Decimal(await session.scalar(statement) or 0)


async def get_newest_ended(session: AsyncSession, kind: RunKind) -> Run | None:
    """Return the newest run of a kind that is done or failed.

    Runs of a kind do not overlap, so the newest one ended last.
    """
    ended = select(Run).where(Run.kind == kind, Run.state.in_([RunState.DONE, RunState.FAILED]))
    return (await session.scalars(ended.order_by(Run.id.desc()).limit(1))).first()


async def get_newest_slot(
    session: AsyncSession, kind: RunKind, *, created_until: datetime
) -> str | None:
    """Return the latest slot of a kind's runs created until this moment.

    Slots are ISO dates and moments, so text order is time order.
    """
    return await session.scalar(
        select(func.max(Run.slot)).where(Run.kind == kind, Run.created_at <= created_until)
    )


_ISO_DATE = r"^\d{4}-\d\d-\d\d"
_UNDER_WAY = (RunState.QUEUED, RunState.RUNNING)


async def release_later_slots(
    session: AsyncSession, *, after: str, created_after: datetime, kinds: Collection[RunKind]
) -> int:
    """Clear the slots after ``after`` of ended runs and of runs merged into them; count them.

    Only runs created after ``created_after``, a moment in the future, are changed: the clock was
    ahead when they were created. Their slots become due again at their own time. The results of the
    runs stay, and the slot as the parameter ``clock_slot``.
    """
    dated = Run.slot.regexp_match(_ISO_DATE) & (Run.slot.collate("C") > after)
    early = select(Run.id).where(
        Run.kind.in_(kinds), dated, Run.created_at > created_after, Run.state.not_in(_UNDER_WAY)
    )
    merged = select(Run.id).where(Run.state == RunState.MERGED, Run.parent_id.in_(early))
    # An array is found first: a condition over both would be checked for all runs.
    ids = func.array(union_all(early, merged).scalar_subquery())
    released = (
        update(Run)
        .where(Run.slot.is_not(None), Run.id == any_(ids))
        .values(
            slot=None, params=Run.params.concat(func.jsonb_build_object("clock_slot", Run.slot))
        )
        .returning(Run.id)
    )
    return len((await session.scalars(released)).all())


async def has_queued(session: AsyncSession, kind: RunKind) -> bool:
    """Return whether a run of the kind is queued."""
    return (
        await session.scalar(
            select(Run.id).where(Run.kind == kind, Run.state == RunState.QUEUED).limit(1)
        )
        is not None
    )


async def merge_missed(
    session: AsyncSession, run_id: int, slots: Collection[str], *, now: datetime
) -> None:
    """Merge missed days into the run that covers them.

    Rows are inserted for days without a run. Queued runs and runs whose lease has expired are
    merged.
    """
    missed = [
        {
            "kind": RunKind.DAILY,
            "slot": slot,
            "parent_id": run_id,
            "state": RunState.MERGED,
            "params": {},
            "created_at": now,
            "finished_at": now,
        }
        for slot in slots
    ]
    if missed:
        await session.execute(
            insert(Run).on_conflict_do_nothing(index_elements=[Run.kind, Run.slot]), missed
        )
    await session.execute(
        update(Run)
        .where(
            Run.kind == RunKind.DAILY,
            Run.id != run_id,
            (Run.state == RunState.QUEUED)
            | ((Run.state == RunState.RUNNING) & (Run.lease_until < func.now())),
        )
        .values(
            state=RunState.MERGED,
            parent_id=run_id,
            finished_at=now,
            lease_token=None,
            lease_until=None,
        )
    )


async def get_last_daily_start(session: AsyncSession) -> datetime | None:
    """Return the start of the last daily run that is done or failed.

    Messages since then are new to the next one.
    """
    statement = select(func.max(Run.started_at)).where(
        Run.kind == RunKind.DAILY, Run.state.in_([RunState.DONE, RunState.FAILED])
    )
    return await session.scalar(statement)
