"""SQL of the runs: a queue in which one run of a kind works at a time, under a lease.

Leases go by the database's clock, which all replicas share; everything that people see goes by the
caller's.
"""

import json
import uuid
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Run, RunKind, RunState

LEASE_SECONDS = 30
REPEATS = "repeats"
"""The parameter in which a run keeps the number of the first run that was under way with the same
parameters.
"""
CONTINUED_FOR = timedelta(hours=1)
"""How long an interrupted run counts as under way: its caller was told to call again."""
_KILLED = (
    "Прервано: служба остановилась посреди работы и не записала итог, поэтому числа здесь могут"
    " быть меньше сделанного. Сделанное сохранено, вызовите ещё раз."
)
"""Of a person's run whose process died: its figures were written every second at most, and not all
can be counted from the tables.
"""
_SAME = f"kind = :kind AND slot IS NULL AND params - '{REPEATS}' = CAST(:params AS jsonb)"
# Any number will do; all our processes must agree on it.
_SAME_WORK = 5_318_008_203


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
    """Queues a run; None where the slot's run exists already."""
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


async def get_same_under_way(
    session: AsyncSession, kind: RunKind, params: Mapping[str, Any], *, now: datetime
) -> int | None:
    """The first of the runs with these parameters whose work is still to be done, or was
    interrupted lately.

    Whoever asks is waited for by the next one until its transaction has ended: of two calls at the
    same moment one sees the other.
    """
    statement = text(f"""
        WITH same AS (SELECT * FROM runs WHERE {_SAME})
        SELECT min(coalesce(CAST(params ->> '{REPEATS}' AS bigint), id)) FROM same
        WHERE (state IN ('queued', 'running') OR (state = 'interrupted' AND finished_at > :since))
          AND id > coalesce((SELECT max(id) FROM same WHERE state IN ('done', 'failed')), 0)
        """)  # noqa: S608 - our own word
    await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _SAME_WORK})
    first: int | None = await session.scalar(
        statement, {"kind": kind, "params": json.dumps(params), "since": now - CONTINUED_FOR}
    )
    return first


async def list_repeated(session: AsyncSession, run: Run) -> dict[int, RunState]:
    """The runs with this one's parameters that were begun before it and under way when it was asked
    for, or asked for since.
    """
    statement = text(
        f"SELECT id, state FROM runs WHERE {_SAME} AND started_at IS NOT NULL AND id >= :since AND id <> :id ORDER BY id"  # noqa: S608
    )
    asked = {name: value for name, value in run.params.items() if name != REPEATS}
    since = run.params.get(REPEATS, run.id)
    rows = await session.execute(
        statement, {"kind": run.kind, "params": json.dumps(asked), "since": since, "id": run.id}
    )
    return {run_id: RunState(state) for run_id, state in rows}


async def get_run(session: AsyncSession, run_id: int) -> Run | None:
    """The run as it stands now."""
    return await session.get(Run, run_id, populate_existing=True)


async def get_run_by_slot(session: AsyncSession, kind: RunKind, slot: str) -> Run | None:
    """A scheduled run, by what makes it the only one."""
    return (
        await session.scalars(select(Run).where(Run.kind == kind, Run.slot == slot))
    ).one_or_none()


async def list_children(session: AsyncSession, parent_id: int) -> list[Run]:
    """The steps of a daily run, in the order in which they were asked for."""
    return list(
        await session.scalars(select(Run).where(Run.parent_id == parent_id).order_by(Run.id))
    )


async def list_runs(
    session: AsyncSession, *, limit: int, before_id: int | None = None
) -> list[Run]:
    """Runs, newest first."""
    statement = select(Run).order_by(Run.id.desc()).limit(limit)
    return list(
        await session.scalars(
            statement if before_id is None else statement.where(Run.id < before_id)
        )
    )


async def list_claimable_kinds(session: AsyncSession) -> set[str]:
    """The kinds of which a run waits in the queue or has been left by a dead process: the question
    that an idle worker asks.
    """
    statement = text("""
        SELECT DISTINCT kind FROM runs
        WHERE (state = 'running' AND lease_until < now())
           OR (state = 'queued' AND (slot IS NULL OR kind NOT IN (SELECT kind FROM runs WHERE state = 'queued' AND not_before > now())))
        """)
    return set(await session.scalars(statement))


async def claim_run(
    session: AsyncSession,
    kind: RunKind,
    token: uuid.UUID,
    *,
    now: datetime,
    only: int | None = None,
) -> Run | None:
    """Takes the next run of a kind under a lease: a scheduled one whose process died, else the
    oldest in the queue, or ``only`` that one.

    A scheduled run is not taken before its ``not_before`` or that of another run of its kind.

    None while another works, or where there is nothing to do. A run that a person asked for and
    whose process died is ended as interrupted: its caller is gone, and what it had done is kept.
    """
    await session.execute(
        update(Run)
        .where(
            Run.kind == kind,
            Run.state == RunState.RUNNING,
            Run.slot.is_(None),
            Run.lease_until < func.now(),
        )
        .values(
            state=RunState.INTERRUPTED,
            finished_at=now,
            message=_KILLED,
        )
    )
    dead = select(Run.id).where(
        Run.kind == kind, Run.state == RunState.RUNNING, Run.lease_until < func.now()
    )
    queued = Run.kind == kind, Run.state == RunState.QUEUED
    paused = select(Run.id).where(*queued, Run.not_before > func.now()).correlate(None).exists()
    oldest = select(Run.id).where(*queued, Run.slot.is_(None) | ~paused).order_by(Run.id).limit(1)
    if only is not None:
        oldest = oldest.where(Run.id == only)
    lease = {
        "state": RunState.RUNNING,
        "lease_token": token,
        "lease_until": func.now() + text(f"interval '{LEASE_SECONDS} seconds'"),
        "started_at": func.coalesce(Run.started_at, now),
    }
    for candidates in (dead, oldest):
        # Not IN: that may look for a candidate again for each row of the table, and then finds the
        # next one after it has taken the first.
        statement = (
            update(Run)
            .where(Run.id == candidates.with_for_update().scalar_subquery())
            .values(lease)
            .returning(Run)
        )
        try:
            async with session.begin_nested():
                claimed = (
                    await session.scalars(statement, execution_options={"populate_existing": True})
                ).one_or_none()
        except IntegrityError:  # one of this kind is at work: the partial unique index says so
            return None
        if claimed is not None:
            return claimed
    return None


async def renew_lease(
    session: AsyncSession,
    run_id: int,
    token: uuid.UUID,
    *,
    figures: Mapping[str, Any],
    done: int,
    total: int | None,
) -> bool:
    """Prolongs the lease and keeps the progress; False where the run is no longer ours."""
    statement = (
        update(Run)
        .where(Run.id == run_id, Run.lease_token == token, Run.state == RunState.RUNNING)
        .values(
            lease_until=func.now() + text(f"interval '{LEASE_SECONDS} seconds'"),
            figures=dict(figures),
            progress_done=done,
            progress_total=total,
        )
        .returning(Run.id)
    )
    return await session.scalar(statement) is not None


async def is_leased(session: AsyncSession, run_id: int, token: uuid.UUID) -> bool:
    """Whether the run is still under this lease."""
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
    pause: timedelta | None = None,
) -> None:
    """Writes the end of a run, or puts it back into the queue; nothing happens where it is no
    longer ours.

    ``pause``: the run failed of the database, and no process may claim it again before so long.
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
            progress_done=done,
            progress_total=total,
            not_before=None if pause is None else func.now() + pause,
            returned_count=Run.returned_count + int(pause is not None),
        )
    )


async def add_lost(session: AsyncSession, run_id: int, usd: Decimal) -> None:
    """Keeps money that a run has spent for nothing: the day's budget counts it."""
    await session.execute(update(Run).where(Run.id == run_id).values(lost_usd=Run.lost_usd + usd))


async def sum_lost(session: AsyncSession, start: datetime, end: datetime) -> Decimal:
    """USD that the runs begun from ``start`` up to and without ``end`` have spent for nothing."""
    statement = select(func.coalesce(func.sum(Run.lost_usd), 0)).where(
        Run.started_at >= start, Run.started_at < end
    )
    return Decimal(await session.scalar(statement) or 0)


async def get_newest_ended(session: AsyncSession, kind: RunKind) -> Run | None:
    """The newest run of a kind that has ended, well or not. One of a kind runs at a time, so the
    newest is the last to end.
    """
    ended = select(Run).where(Run.kind == kind, Run.state.in_([RunState.DONE, RunState.FAILED]))
    return (await session.scalars(ended.order_by(Run.id.desc()).limit(1))).first()


async def newest_slot(
    session: AsyncSession, kind: RunKind, *, created_until: datetime
) -> str | None:
    """The greatest slot of a kind's runs created until then: slots are ISO dates and moments, whose
    order is that of time.
    """
    return await session.scalar(
        select(func.max(Run.slot)).where(Run.kind == kind, Run.created_at <= created_until)
    )


_ISO_DATE = r"^\d{4}-\d\d-\d\d"
_UNDER_WAY = (RunState.QUEUED, RunState.RUNNING)


async def release_later_slots(
    session: AsyncSession, *, after: str, created_after: datetime, kinds: Collection[RunKind]
) -> int:
    """Take from ended runs the slots that lie after ``after``, and from the dates merged into them;
    return how many.

    Only runs created after a moment that is still to come are meant: the clock was ahead when they
    were created. Their slots are then due again at their own time. What the runs did stays, and so
    does the slot, as the parameter ``clock_slot``.
    """
    dated = Run.slot.regexp_match(_ISO_DATE) & (Run.slot.collate("C") > after)
    early = select(Run.id).where(
        Run.kind.in_(kinds), dated, Run.created_at > created_after, Run.state.not_in(_UNDER_WAY)
    )
    merged = (Run.state == RunState.MERGED) & Run.parent_id.in_(early)
    released = (
        update(Run)
        .where(Run.slot.is_not(None), Run.id.in_(early) | merged)
        .values(
            slot=None, params=Run.params.concat(func.jsonb_build_object("clock_slot", Run.slot))
        )
        .returning(Run.id)
    )
    return len((await session.scalars(released)).all())


async def has_queued(session: AsyncSession, kind: RunKind) -> bool:
    """Whether a run of the kind waits for its turn."""
    return (
        await session.scalar(
            select(Run.id).where(Run.kind == kind, Run.state == RunState.QUEUED).limit(1)
        )
        is not None
    )


async def merge_missed(
    session: AsyncSession, run_id: int, slots: Collection[str], *, now: datetime
) -> None:
    """Hands missed days to the run that makes up for them: rows for days never begun, and those
    begun that nobody works on.
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


async def list_merged(session: AsyncSession, run_id: int) -> list[str]:
    """The days that a daily run makes up for besides its own, oldest first."""
    statement = (
        select(Run.slot)
        .where(Run.parent_id == run_id, Run.state == RunState.MERGED)
        .order_by(Run.slot)
    )
    return [slot for slot in await session.scalars(statement) if slot]


async def last_finished_daily(session: AsyncSession) -> datetime | None:
    """When the last daily run that came to its end was started: what people wrote since is new to
    the next.
    """
    statement = select(func.max(Run.started_at)).where(
        Run.kind == RunKind.DAILY, Run.state.in_([RunState.DONE, RunState.FAILED])
    )
    return await session.scalar(statement)
