"""Execution of one claimed run: its step, the renewal of its lease, and its end."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import structlog

from app.clock import Clock
from app.database.engine import Database
from app.errors import AppError, DatabaseUnavailableError
from app.models import RunKind, RunState
from app.repositories import run_leases
from app.services.problems import Problem
from app.services.run_params import RunParams
from app.services.runs import LeaseLostError, RunContext, Step, StepResult

log = structlog.get_logger(__name__)

_WRITE_SECONDS = 1.0
"""Interval between two writes of the progress."""
_RENEWAL_SECONDS = 10.0
"""Interval between two renewals of the lease if the progress has not changed."""
_STOP_SECONDS = 1.0
"""Time after which a task that has not stopped is cancelled again."""
_LAST_WRITE_SECONDS = 2.0
"""Timeout of the write of a run's end while the process stops."""


@dataclass(frozen=True)
class Execution:
    """One run that this process executes under a lease.

    - ``stuck``: the worker's set of runs whose steps do not stop.
    - ``database_seconds``: timeout of a renewal of the lease.
    - ``stuck_seconds``: time after a cancel from which a step counts as stuck.
    """

    database: Database
    clock: Clock
    kind: RunKind
    step: Step
    context: RunContext[RunParams]
    stuck: set[int]
    database_seconds: float
    stuck_seconds: float

    async def execute_step(self) -> StepResult:
        """Execute the step and renew the lease until the step ends.

        Raises:
            DatabaseUnavailableError: the database failed the step.
            LeaseLostError: the lease has expired or another process has claimed the run.
        """
        step = asyncio.ensure_future(self.step(self.context))
        renewals = asyncio.create_task(self._renew_lease_forever())
        try:
            await asyncio.wait({step, renewals}, return_when=asyncio.FIRST_COMPLETED)
            if not step.done():
                raise LeaseLostError
            return step.result()
        except (LeaseLostError, asyncio.CancelledError):
            raise
        except Exception as error:
            return self._make_failure(error)
        finally:
            await self._stop_tasks(step, renewals)

    async def end(self, result: StepResult) -> None:
        """Store the result of the step as the end of the run."""
        if result.cut_short:
            self.context.progress.figures = result.figures
            await self.give_back()
            return
        state = RunState.DONE if result.ok else RunState.FAILED
        message = _append_repeated(result.message, self.context.repeated)
        await self._store_end(state, message, result.figures, problems=result.problems)
        # Lists contain texts of outside systems. They are stored with the run; the log contains
        # numbers only.
        numbers = {
            name: value for name, value in result.figures.items() if not isinstance(value, list)
        }
        log.info(
            "run.ended", run=self.context.id, kind=self.kind.value, state=state.value, **numbers
        )

    async def give_back(
        self,
        reason: str = "службу остановили посреди работы.",
        *,
        pause: timedelta | None = None,
    ) -> None:
        """Queue a scheduled run again; end a requested run as interrupted.

        The process is stopping, or the database has failed. ``pause``: no process claims the run
        again before this time has passed.
        """
        figures = self.context.progress.figures
        is_scheduled = self.context.slot is not None
        state = RunState.QUEUED if is_scheduled else RunState.INTERRUPTED
        try:
            if is_scheduled:
                await self._store_end(state, None, figures, pause=pause)
            else:
                message = f"Прервано: {reason} Сделанное сохранено, вызовите ещё раз."
                await self._store_end(state, message, figures)
        finally:
            log.info(
                "run.interrupted", run=self.context.id, kind=self.kind.value, state=state.value
            )

    def _make_failure(self, error: Exception) -> StepResult:
        known = _find_app_error(error)
        if isinstance(known, DatabaseUnavailableError | LeaseLostError):
            raise known from None
        if known is None:
            log.error("run.crashed", run=self.context.id, kind=self.kind.value, exc_info=error)
        message = (
            known.message
            if known
            else "Внутренняя ошибка службы; сделанное сохранено, подробности в журнале."
        )
        return StepResult(ok=False, message=message, figures=self.context.progress.figures)

    async def _renew_lease_forever(self) -> None:
        """Renew the lease and store the progress; return when the lease is lost."""
        lease, progress = self.context.lease, self.context.progress
        renewed_at, stored = time.monotonic(), None
        while lease.held:
            await asyncio.sleep(_WRITE_SECONDS)
            current = (progress.done, progress.total, dict(progress.figures))
            asked_at = time.monotonic()
            if current == stored and asked_at - renewed_at < _RENEWAL_SECONDS:
                continue
            try:
                is_renewed = await self._renew_lease()
            except (DatabaseUnavailableError, TimeoutError):
                continue
            if not is_renewed:
                return
            lease.renew(asked_at)
            renewed_at, stored = asked_at, current

    async def _renew_lease(self) -> bool:
        progress = self.context.progress
        seconds = min(self.database_seconds, self.context.lease.seconds_left)
        async with asyncio.timeout(seconds), self.database.transaction() as session:
            return await run_leases.renew_lease(
                session,
                self.context.id,
                self.context.token,
                figures=progress.figures,
                done=progress.done,
                total=progress.total,
            )

    async def _store_end(
        self,
        state: RunState,
        message: str | None,
        figures: Mapping[str, object],
        *,
        problems: Sequence[Problem] | None = None,
        pause: timedelta | None = None,
    ) -> None:
        """Store the end of the run; retry while the database is unavailable.

        The retries end after the duration of a lease: then another worker claims the run. A process
        that stops has less time.
        """
        write = partial(self._write_end, state, message, figures, problems, pause)
        is_stopping = self.context.stopping.is_set()
        seconds = _LAST_WRITE_SECONDS if is_stopping else run_leases.LEASE_SECONDS
        await finish_despite_cancel(
            _retry_write(self.context.id, write, seconds), _LAST_WRITE_SECONDS
        )

    async def _write_end(
        self,
        state: RunState,
        message: str | None,
        figures: Mapping[str, object],
        problems: Sequence[Problem] | None,
        pause: timedelta | None,
    ) -> None:
        progress = self.context.progress
        async with self.database.transaction() as session:
            await run_leases.end_run(
                session,
                self.context.id,
                self.context.token,
                state,
                now=self.clock(),
                message=message,
                figures=figures,
                problems=None
                if problems is None
                else [problem.model_dump(mode="json") for problem in problems],
                done=progress.done,
                total=progress.total,
                pause=pause,
            )

    async def _stop_tasks(self, *tasks: asyncio.Future[Any]) -> None:
        """Cancel the tasks repeatedly until they end.

        In Python 3.11 ``wait_for`` swallows a cancel that comes in the same iteration of the event
        loop as the awaited result, and the mail library uses it. After a single cancel the step
        could continue, and the process could not end, until the mail server answers.
        """
        run_id = self.context.id
        stuck_at = time.monotonic() + self.stuck_seconds
        while any(not task.done() for task in tasks):
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=_STOP_SECONDS)
            if time.monotonic() > stuck_at and run_id not in self.stuck:
                log.error("run.stuck", run=run_id)
                self.stuck.add(run_id)
        self.stuck.discard(run_id)
        await asyncio.gather(*tasks, return_exceptions=True)


async def finish_despite_cancel(work: Coroutine[Any, Any, None], seconds: float) -> None:
    """Await the work; after a cancel, let it continue for at most ``seconds``."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=seconds)
        task.cancel()
        raise


async def _retry_write(run_id: int, write: Callable[[], Awaitable[None]], seconds: float) -> None:
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


def _append_repeated(message: str, repeated: Collection[int]) -> str:
    if not repeated:
        return message
    numbers = ", ".join(map(str, repeated))
    which, whose = ("запуск", "им") if len(repeated) == 1 else ("запуски", "ими")
    return (
        f"{message} Такой же запрос уже выполнялся ({which} {numbers}): сделанное {whose} не"
        " повторялось."
    )


def _find_app_error(error: Exception) -> AppError | None:
    """Return the error whose message a client may read; None if any other error occurred.

    If several tasks have failed at once, all of their errors must be of this kind.
    """
    if isinstance(error, ExceptionGroup):
        known = [_find_app_error(one) for one in error.exceptions]
        return known[0] if all(known) else None
    return error if isinstance(error, AppError) else None
