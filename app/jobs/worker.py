"""The worker of a process: claims queued runs and executes one run of a kind at a time."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import Collection, Mapping
from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import Clock
from app.database.engine import Database
from app.errors import DatabaseUnavailableError
from app.jobs.execution import Execution, finish_despite_cancel
from app.jobs.heartbeat import Heartbeat
from app.jobs.helping import Help, Helping
from app.models import Run, RunKind, RunState
from app.repositories import repeated_runs, run_leases
from app.services.run_params import RunParams, parse_params, parse_repeats
from app.services.runs import Lease, LeaseLostError, Progress, RunContext, Step

log = structlog.get_logger(__name__)

_POLL = "poll"
_POLL_SECONDS = 3.0
"""Interval between two polls of the queue without a call of ``wake``.

A poll finds runs that another process has queued, runs whose process has died, and runs of other
processes that this one can help with.
"""
FINISH_SECONDS = 5.0
"""Grace period for in-flight model calls, already billed, when the process stops.

A container has ten seconds for the whole stop.
"""
_CLAIM_SECONDS = 1.0
"""Time that a claim in progress may take after the worker is cancelled."""
_STUCK_SECONDS = 30.0
"""Time after a cancel from which a step counts as stuck, and the worker as not working."""
_DATABASE_SECONDS = 20.0
"""Timeout of a claim or a renewal. The database's own limits are shorter."""
_LONGEST_RUN_PAUSE = timedelta(minutes=1)
_LONGEST_KIND_PAUSE = timedelta(seconds=8)
"""Pauses double from two seconds.

A run that the database fails is therefore started at most ten times a minute. The pause of a run is
stored for all replicas. The pause of a kind applies to this worker only. It is short because it
also delays runs that clients request.
"""


class Worker:
    """Claims and executes runs of each kind that has a step, one run of a kind at a time."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        finish_seconds: float = FINISH_SECONDS,
        database_seconds: float = _DATABASE_SECONDS,
        stuck_seconds: float = _STUCK_SECONDS,
        heartbeat: Heartbeat | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._finish_seconds = finish_seconds
        self._database_seconds = database_seconds
        self._stuck_seconds = stuck_seconds
        self._heartbeat = heartbeat or Heartbeat()
        self._stopping = asyncio.Event()
        self._steps: Mapping[RunKind, Step] = {}
        self._helping = Helping(self._stopping)
        self._tasks: dict[RunKind, asyncio.Task[None]] = {}
        self._stuck: set[int] = set()
        self._failed_in_a_row: dict[RunKind, int] = {}
        self._paused_until: dict[RunKind, float] = {}
        self._awake = asyncio.Event()
        self._finished = asyncio.Event()

    def register_steps(self, steps: Mapping[RunKind, Step]) -> None:
        """Register the steps. They are built after the worker: the daily step wakes it."""
        self._steps = steps

    def register_help(self, help_with_grading: Help) -> None:
        """Register what the worker does while no grading run of its own is executed."""
        self._helping.help_once = help_with_grading

    def wake(self) -> None:
        """Make the worker poll the queue at once."""
        self._awake.set()

    async def wait_run_finished(self) -> None:
        """Wait until a run of this worker ends."""
        await self._finished.wait()

    async def work_forever(self) -> None:
        """Claim and execute runs until the task is cancelled.

        After the cancel, grading finishes its calls in flight, and unfinished runs are given back.
        """
        await self._work(dict.fromkeys(self._steps), is_helping=True)

    async def work_on(self, kind: RunKind, run_id: int) -> None:
        """Execute only this run, and before it a scheduled run of the kind whose process has died.

        A cancel has the same effect as in ``work_forever``.
        """
        await self._work({kind: run_id}, is_helping=False)

    async def _work(self, wanted: Mapping[RunKind, int | None], *, is_helping: bool) -> None:
        self._stopping.clear()
        self._heartbeat.start(_POLL)
        try:
            while True:
                self._awake.clear()
                # A cancel waits for the poll. A run that is claimed and not started would have no
                # owner until its lease expires.
                await finish_despite_cancel(
                    self._poll_queue(wanted, is_helping=is_helping), _CLAIM_SECONDS
                )
                # Not wait_for: in Python 3.11 it swallows a cancel that comes in the same iteration
                # of the event loop as the event.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_POLL_SECONDS):
                        await self._awake.wait()
        finally:
            self._heartbeat.stop()
            await self._stop_working()

    async def _stop_working(self) -> None:
        """Cancel all runs, grading last. A second cancel meanwhile ends the grace period."""
        self._stopping.set()
        tasks = set(self._tasks.values())
        grading = {task for kind, task in self._tasks.items() if kind is RunKind.ANALYZE}
        tasks |= self._helping.tasks
        grading |= self._helping.tasks
        for task in tasks - grading:
            task.cancel()
        try:
            if grading:
                await asyncio.wait(grading, timeout=self._finish_seconds)
        finally:
            for task in grading:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _poll_queue(self, wanted: Mapping[RunKind, int | None], *, is_helping: bool) -> None:
        try:
            async with asyncio.timeout(self._database_seconds):
                work = await run_leases.find_work(self._database)
            for kind, run_id in wanted.items():
                if kind in work.claimable and kind not in self._tasks and not self._is_paused(kind):
                    await self._claim_and_start(kind, run_id)
            if is_helping and work.is_open and RunKind.ANALYZE not in self._tasks:
                self._helping.start()
        except (DatabaseUnavailableError, TimeoutError) as error:
            log.warning("worker.database_away", error=str(error) or "timeout")
        except Exception:  # the top of every job: the next poll tries again after any error
            log.exception("worker.claim_failed")
        else:
            if not self._stuck:
                self._heartbeat.beat(_POLL)

    async def _claim_and_start(self, kind: RunKind, run_id: int | None) -> None:
        token, asked_at = uuid.uuid4(), time.monotonic()
        async with asyncio.timeout(self._database_seconds), self._database.transaction() as session:
            run = await run_leases.claim_run(session, kind, token, now=self._clock(), only=run_id)
            repeated = await _list_repeated(session, run) if run else []
        if run is not None:
            task = asyncio.create_task(
                self._execute(run, Lease(asked_at), token, repeated), name=f"run-{run.id}"
            )
            self._tasks[kind] = task
            task.add_done_callback(partial(self._release_kind, kind))

    def _release_kind(self, kind: RunKind, _: asyncio.Task[None]) -> None:
        del self._tasks[kind]
        self._finished.set()  # for the current waiters; later ones wait for the next run
        self._finished = asyncio.Event()
        self.wake()

    def _is_paused(self, kind: RunKind) -> bool:
        return time.monotonic() < self._paused_until.get(kind, 0)

    def _pause_kind(self, kind: RunKind) -> None:
        """Claim no run of the kind for a while: the database failed the last one."""
        failed = self._failed_in_a_row[kind] = self._failed_in_a_row.get(kind, 0) + 1
        pause = _compute_pause(failed, _LONGEST_KIND_PAUSE)
        self._paused_until[kind] = time.monotonic() + pause.total_seconds()

    async def _execute(
        self, run: Run, lease: Lease, token: uuid.UUID, repeated: Collection[int]
    ) -> None:
        kind = RunKind(run.kind)
        context = self._make_context(run, lease, token, repeated)
        execution = Execution(
            database=self._database,
            clock=self._clock,
            kind=kind,
            step=self._steps[kind],
            context=context,
            stuck=self._stuck,
            database_seconds=self._database_seconds,
            stuck_seconds=self._stuck_seconds,
        )
        log.info("run.started", run=run.id, kind=kind.value, slot=run.slot)
        try:
            result = await execution.execute_step()
        except LeaseLostError:
            log.warning("run.lease_lost", run=run.id, kind=kind.value)
        except DatabaseUnavailableError as error:
            await self._pause_run(execution, error, run.returned_count + 1)
        except asyncio.CancelledError:
            await execution.give_back()
            raise
        else:
            self._failed_in_a_row.pop(kind, None)
            await execution.end(result)

    async def _pause_run(
        self, execution: Execution, error: DatabaseUnavailableError, times: int
    ) -> None:
        """Give back a run that the database has failed ``times`` times, and pause its kind."""
        kind, pause = execution.kind, _compute_pause(times, _LONGEST_RUN_PAUSE)
        log.warning(
            "run.database_away",
            run=execution.context.id,
            kind=kind.value,
            error=error.message,
            pause_seconds=pause.total_seconds(),
        )
        self._pause_kind(kind)
        await execution.give_back(error.message, pause=pause)

    def _make_context(
        self, run: Run, lease: Lease, token: uuid.UUID, repeated: Collection[int]
    ) -> RunContext[RunParams]:
        return RunContext(
            id=run.id,
            slot=run.slot,
            params=parse_params(run),
            repeats=parse_repeats(run),
            token=token,
            started_at=run.started_at or self._clock(),
            progress=Progress(
                done=run.progress_done, total=run.progress_total, figures=dict(run.figures)
            ),
            repeated=repeated,
            lease=lease,
            stopping=self._stopping,
        )


def _compute_pause(times: int, longest: timedelta) -> timedelta:
    """Return two seconds, doubled after each further failure, at most ``longest``."""
    return min(timedelta(seconds=2 ** min(times, 10)), longest)


async def _list_repeated(session: AsyncSession, run: Run) -> list[int]:
    """Return the runs whose work this one does not do again.

    A full sync that did not succeed is done again from the beginning.
    """
    if not parse_params(run).is_forced:
        return []
    same = await repeated_runs.list_repeated(session, run)
    return [
        run_id
        for run_id, state in same.items()
        if run.kind != RunKind.SYNC or state is RunState.DONE
    ]
