"""The worker of a process: claims queued runs under a lease, executes their steps and stores the
results.
"""

import asyncio
import contextlib
import time
import uuid
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import Clock
from app.database.engine import Database
from app.errors import AppError, DatabaseUnavailableError
from app.jobs.heartbeat import Heartbeat
from app.models import Run, RunKind, RunState
from app.repositories import runs
from app.services.problems import Problem
from app.services.run_params import RunParams, parse_params, parse_repeats
from app.services.runs import (
    Lease,
    LeaseLostError,
    Progress,
    RunContext,
    Step,
    StepResult,
)

log = structlog.get_logger(__name__)

_POLL = "poll"
_LOOK_SECONDS = 5.0
"""How often the queue is looked at without being woken: what another process has asked for, or left
behind dying.
"""
_WRITE_SECONDS = 1.0
_HEARTBEAT_SECONDS = 10.0
FINISH_SECONDS = 5.0
"""How long, when the process is told to stop, the model's answers under way are waited for: they
are paid for. Whoever stops a container waits ten seconds for all of it.
"""
_STOP_SECONDS = 1.0
"""How long a step may take to hear that it is to stop before it is told again."""
_STUCK_SECONDS = 30.0
"""After so long the step that does not stop counts as stuck, and the worker as not working."""
_DATABASE_SECONDS = 20.0
"""A claim or a renewal waits so long for the database; the database's own limits are shorter."""
_LAST_WRITE_SECONDS = 2.0
"""How long, when the process is told to stop, the end of a run may take to be written."""
_LONGEST_PAUSE = timedelta(minutes=1)
_LONGEST_KIND_PAUSE = timedelta(seconds=8)
"""Pauses double from two seconds: a run that the database fails is started at most ten times a
minute. The pause of a run is stored for all replicas; that of a kind is this worker's, also for
runs that people ask for, and short for them.
"""


class Worker:
    """Takes runs of every kind it has a step for, one of a kind at a time."""

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
        self._working: dict[RunKind, asyncio.Task[None]] = {}
        self._stuck: set[int] = set()
        self._failed_in_a_row: dict[RunKind, int] = {}
        self._paused_until: dict[RunKind, float] = {}
        self._awake = asyncio.Event()
        self._ended = asyncio.Event()

    def register_steps(self, steps: Mapping[RunKind, Step]) -> None:
        """Gives it its steps. They come after it because the day's step wakes it."""
        self._steps = steps

    def wake(self) -> None:
        """Says that there may be something to do."""
        self._awake.set()

    async def wait_run_finished(self) -> None:
        """Returns when a run that this worker has taken ends."""
        await self._ended.wait()

    async def work_forever(self) -> None:
        """Takes runs until it is cancelled; then has the grading finish what is under way, gives
        the runs back and returns.
        """
        await self._work(dict.fromkeys(self._steps))

    async def work_on(self, kind: RunKind, run_id: int) -> None:
        """Takes this one run when its turn has come, and a dead scheduled one that stands in its
        way; otherwise as ``work_forever``.
        """
        await self._work({kind: run_id})

    async def _work(self, wanted: Mapping[RunKind, int | None]) -> None:
        self._stopping.clear()
        self._heartbeat.start(_POLL)
        try:
            while True:
                self._awake.clear()
                await self._take_undisturbed(wanted)
                # Not wait_for: in Python 3.11 it swallows a cancel that comes in the same turn of
                # the loop as the waking.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_SECONDS):
                        await self._awake.wait()
        finally:
            self._heartbeat.stop()
            await self._stop_working()

    async def _stop_working(self) -> None:
        """Cancels what is under way, the grading last; told to stop again meanwhile, at once."""
        self._stopping.set()
        tasks = set(self._working.values())
        grading = {task for kind, task in self._working.items() if kind is RunKind.ANALYZE}
        for task in tasks - grading:
            task.cancel()
        try:
            if grading:
                await asyncio.wait(grading, timeout=self._finish_seconds)
        finally:
            for task in grading:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _take_undisturbed(self, wanted: Mapping[RunKind, int | None]) -> None:
        """A stop waits for it: a run that is claimed and not begun would have no owner until its
        lease ends.
        """
        await _undisturbed(self._take_what_is_there(wanted), _STOP_SECONDS)

    async def _take_what_is_there(self, wanted: Mapping[RunKind, int | None]) -> None:
        try:
            async with asyncio.timeout(self._database_seconds), self._database.session() as session:
                claimable = await runs.list_claimable_kinds(session)
            for kind, run_id in wanted.items():
                if kind in claimable and kind not in self._working and not self._is_paused(kind):
                    await self._take(kind, run_id)
        except (DatabaseUnavailableError, TimeoutError) as error:
            log.warning("worker.database_away", error=str(error) or "timeout")
        except Exception:  # the worker is the top of every job: it looks again, whatever went wrong
            log.exception("worker.claim_failed")
        else:
            if not self._stuck:
                self._heartbeat.beat(_POLL)

    async def _take(self, kind: RunKind, run_id: int | None) -> None:
        token, asked_at = uuid.uuid4(), time.monotonic()
        async with asyncio.timeout(self._database_seconds), self._database.transaction() as session:
            run = await runs.claim_run(session, kind, token, now=self._clock(), only=run_id)
            repeated = await _list_repeated(session, run) if run else []
        if run is not None:
            task = asyncio.create_task(
                self._carry_out(run, Lease(asked_at), token, repeated), name=f"run-{run.id}"
            )
            self._working[kind] = task
            task.add_done_callback(partial(self._free, kind))

    def _is_paused(self, kind: RunKind) -> bool:
        return time.monotonic() < self._paused_until.get(kind, 0)

    def _pause(self, kind: RunKind) -> None:
        """Claim no run of the kind for a while: the database failed the last one."""
        failed = self._failed_in_a_row[kind] = self._failed_in_a_row.get(kind, 0) + 1
        self._paused_until[kind] = (
            time.monotonic() + _doubled(failed, _LONGEST_KIND_PAUSE).total_seconds()
        )

    def _free(self, kind: RunKind, _: asyncio.Task[None]) -> None:
        del self._working[kind]
        self._ended.set()  # for those who wait now
        self._ended = asyncio.Event()
        self.wake()

    async def _carry_out(
        self, run: Run, lease: Lease, token: uuid.UUID, repeated: Collection[int]
    ) -> None:
        kind = RunKind(run.kind)
        context = RunContext(
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
        log.info("run.started", run=run.id, kind=kind.value, slot=run.slot)
        try:
            result = await self._under_lease(kind, context)
        except LeaseLostError:
            log.warning("run.lease_lost", run=run.id, kind=kind.value)
            return
        except DatabaseUnavailableError as error:
            pause = _doubled(run.returned_count + 1, _LONGEST_PAUSE)
            log.warning(
                "run.database_away",
                run=run.id,
                kind=kind.value,
                error=error.message,
                pause_seconds=pause.total_seconds(),
            )
            self._pause(kind)
            await self._give_back(context, error.message, pause=pause)
            return
        except asyncio.CancelledError:
            await self._give_back(context)
            raise
        self._failed_in_a_row.pop(kind, None)
        if result.cut_short:
            context.progress.figures = result.figures
            await self._give_back(context)
            return
        state = RunState.DONE if result.ok else RunState.FAILED
        message = _with_repeated(result.message, repeated)
        await self._end(context, state, message, result.figures, problems=result.problems)
        # What outside systems say of a failure is for people, and stands in the row; the log holds
        # numbers.
        numbers = {
            name: value for name, value in result.figures.items() if not isinstance(value, list)
        }
        log.info("run.ended", run=run.id, kind=kind.value, state=state.value, **numbers)

    async def _under_lease(self, kind: RunKind, context: RunContext[RunParams]) -> StepResult:
        step = asyncio.ensure_future(self._steps[kind](context))
        keeper = asyncio.create_task(self._keep_lease(context))
        try:
            await asyncio.wait({step, keeper}, return_when=asyncio.FIRST_COMPLETED)
            if not step.done():
                raise LeaseLostError
            return step.result()
        except (LeaseLostError, asyncio.CancelledError):
            raise
        except Exception as error:
            known = _told(error)
            if isinstance(known, DatabaseUnavailableError | LeaseLostError):
                raise known from None
            if known is None:
                log.exception("run.crashed", run=context.id, kind=kind.value)
            message = (
                known.message
                if known
                else "Внутренняя ошибка службы; сделанное сохранено, подробности в журнале."
            )
            return StepResult(ok=False, message=message, figures=context.progress.figures)
        finally:
            await self._stop(context.id, step, keeper)

    async def _keep_lease(self, context: RunContext[RunParams]) -> None:
        """Renews the lease and writes the progress; returns when the run is no longer ours."""
        renewed_at, written = time.monotonic(), None
        while context.lease.held:
            await asyncio.sleep(_WRITE_SECONDS)
            progress = context.progress
            now_written = (progress.done, progress.total, dict(progress.figures))
            asked_at = time.monotonic()
            if now_written == written and asked_at - renewed_at < _HEARTBEAT_SECONDS:
                continue
            try:
                seconds = min(self._database_seconds, context.lease.seconds_left)
                async with asyncio.timeout(seconds), self._database.transaction() as session:
                    ours = await runs.renew_lease(
                        session,
                        context.id,
                        context.token,
                        figures=progress.figures,
                        done=progress.done,
                        total=progress.total,
                    )
            except (DatabaseUnavailableError, TimeoutError):
                continue
            if not ours:
                return
            context.lease.renew(asked_at)
            renewed_at, written = asked_at, now_written

    async def _give_back(
        self,
        context: RunContext[RunParams],
        reason: str = "службу остановили посреди работы.",
        *,
        pause: timedelta | None = None,
    ) -> None:
        """The process is stopping or the database was away: a scheduled run goes back into the
        queue, a person's ends here.
        """
        if context.slot is not None:
            await self._end(context, RunState.QUEUED, None, context.progress.figures, pause=pause)
        else:
            message = f"Прервано: {reason} Сделанное сохранено, вызовите ещё раз."
            await self._end(context, RunState.INTERRUPTED, message, context.progress.figures)

    async def _end(
        self,
        context: RunContext[RunParams],
        state: RunState,
        message: str | None,
        figures: Mapping[str, object],
        *,
        problems: Sequence[Problem] | None = None,
        pause: timedelta | None = None,
    ) -> None:
        """Writes the end; while the database is away, as long as the lease would last: then others
        take the run over.

        A process that stops has less time.
        """
        work = partial(self._write_end, context, state, message, figures, problems, pause)
        seconds = _LAST_WRITE_SECONDS if self._stopping.is_set() else runs.LEASE_SECONDS
        await _undisturbed(_until_written(context.id, work, seconds), _LAST_WRITE_SECONDS)

    async def _write_end(
        self,
        context: RunContext[RunParams],
        state: RunState,
        message: str | None,
        figures: Mapping[str, object],
        problems: Sequence[Problem] | None,
        pause: timedelta | None,
    ) -> None:
        progress = context.progress
        async with self._database.transaction() as session:
            await runs.end_run(
                session,
                context.id,
                context.token,
                state,
                now=self._clock(),
                message=message,
                figures=figures,
                problems=None
                if problems is None
                else [problem.model_dump(mode="json") for problem in problems],
                done=progress.done,
                total=progress.total,
                pause=pause,
            )

    async def _stop(self, run_id: int, *tasks: asyncio.Future[Any]) -> None:
        """Cancels until it is heard.

        In Python 3.11 ``wait_for`` swallows a cancel that comes in the same turn of the loop as
        what it waits for, and mail is sent with it: the step would go on, and the process could not
        end, for as long as the mail server is waited for.
        """
        stuck_at = time.monotonic() + self._stuck_seconds
        while any(not task.done() for task in tasks):
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=_STOP_SECONDS)
            if time.monotonic() > stuck_at and run_id not in self._stuck:
                log.error("run.stuck", run=run_id)
                self._stuck.add(run_id)
        self._stuck.discard(run_id)
        await asyncio.gather(*tasks, return_exceptions=True)


async def _undisturbed(work: Coroutine[Any, Any, None], seconds: float) -> None:
    """Work that goes on for at most so many seconds after a cancel."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=seconds)
        task.cancel()
        raise


async def _until_written(run_id: int, write: Callable[[], Awaitable[None]], seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            while True:
                try:
                    return await write()
                except DatabaseUnavailableError as error:
                    log.warning("run.end_not_written", run=run_id, error=error.message)
                    await asyncio.sleep(1)
    except TimeoutError:
        log.warning("run.end_given_up", run=run_id)


def _doubled(times: int, longest: timedelta) -> timedelta:
    """Two seconds, doubled each time after the first."""
    return min(timedelta(seconds=2 ** min(times, 10)), longest)


async def _list_repeated(session: AsyncSession, run: Run) -> list[int]:
    """The runs whose work this one is not to do again. A reading of every chat that came to no good
    end is begun anew.
    """
    if not parse_params(run).is_forced:
        return []
    same = await runs.list_repeated(session, run)
    return [
        run_id
        for run_id, state in same.items()
        if run.kind != RunKind.SYNC or state is RunState.DONE
    ]


def _with_repeated(message: str, repeated: Collection[int]) -> str:
    if not repeated:
        return message
    numbers = ", ".join(map(str, repeated))
    which, whose = ("запуск", "им") if len(repeated) == 1 else ("запуски", "ими")
    return (
        f"{message} Такой же запрос уже выполнялся ({which} {numbers}): сделанное {whose} не"
        " повторялось."
    )


def _told(error: Exception) -> AppError | None:
    """The error that a person can be told, also where several tasks failed of it at once; None
    where something else went wrong too.
    """
    if isinstance(error, ExceptionGroup):
        known = [_told(one) for one in error.exceptions]
        return known[0] if all(known) else None
    return error if isinstance(error, AppError) else None
