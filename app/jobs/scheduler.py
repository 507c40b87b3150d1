"""The scheduler of the process.

APScheduler executes three named interval jobs. Each of them only queues the run that is due.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from app.clock import Clock, system_clock
from app.database.engine import Database
from app.errors import DatabaseUnavailableError
from app.jobs.clock_watch import ClockWatch
from app.jobs.due_runs import (
    QueueDueRun,
    Timetable,
    queue_daily_run,
    queue_retry_run,
    queue_sync_run,
)
from app.jobs.heartbeat import Heartbeat

log = structlog.get_logger(__name__)

JOBS: Mapping[str, QueueDueRun] = {
    "daily_report": queue_daily_run,
    "sync": queue_sync_run,
    "mail_retries": queue_retry_run,
}
INTERVAL = timedelta(seconds=15)
_LOOK_SECONDS = 5.0
_JOB_SECONDS = 20.0
"""Timeout of a job. The database's own limits are shorter."""


class _Interval(IntervalTrigger):  # type: ignore[misc]  # APScheduler has no types
    """An interval that counts from now.

    APScheduler's own computes every run between the planned one and now: 5,760 a day.
    """

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """Return the next run, whatever the planned one was."""
        return now if previous_fire_time is None else now + self.interval


class Scheduler:
    """The jobs of one process.

    APScheduler plans a job's next run by the wall clock; ``replan`` plans it again after a jump.
    """

    def __init__(
        self,
        database: Database,
        timetable: Timetable,
        clock: Clock,
        *,
        wake: Callable[[], None],
        heartbeat: Heartbeat,
    ) -> None:
        self._database = database
        self._timetable = timetable
        self._clock = clock
        self._wake = wake
        self._heartbeat = heartbeat
        self.apscheduler = AsyncIOScheduler(timezone=UTC)

    def start(self) -> None:
        """Execute every job now and then at its interval."""
        self._heartbeat.start(*JOBS)
        every = _Interval(seconds=INTERVAL.total_seconds(), timezone=UTC)
        for name in JOBS:
            self.apscheduler.add_job(
                self._queue_due_run,
                every,
                args=(name,),
                id=name,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
            )
        self.apscheduler.start()

    def stop(self) -> None:
        """Start no more jobs; cancel jobs in progress."""
        self.apscheduler.shutdown(wait=False)
        self._heartbeat.stop()

    def replan(self, *, jumped: bool) -> None:
        """Execute jobs now if their planned time is wrong.

        These are all jobs if the clock has ``jumped``, and jobs planned by a clock that was ahead.
        """
        now = system_clock()
        for job in self.apscheduler.get_jobs():
            if jumped or job.next_run_time > now + INTERVAL:
                job.modify(next_run_time=now)

    async def _queue_due_run(self, name: str) -> None:
        try:
            async with asyncio.timeout(_JOB_SECONDS), self._database.transaction() as session:
                await JOBS[name](session, self._timetable, self._clock())
        except (DatabaseUnavailableError, TimeoutError) as error:
            log.warning("scheduler.database_away", job=name, error=str(error) or "timeout")
        except asyncio.CancelledError:  # by ``stop``; APScheduler would log a traceback
            log.info("scheduler.job_cancelled", job=name)
        except Exception:  # the top of a job: it is executed again
            log.exception("scheduler.job_failed", job=name)
        else:
            self._heartbeat.beat(name)
            self._wake()


async def watch_clock(clock_watch: ClockWatch, scheduler: Scheduler | None) -> None:
    """Detect jumps of the clock until the task is cancelled.

    After a jump the jobs of the ``scheduler`` are planned again.
    """
    while True:
        jump = clock_watch.look()
        if scheduler is not None:
            scheduler.replan(jumped=jump is not None)
        await asyncio.sleep(_LOOK_SECONDS)
