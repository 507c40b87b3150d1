"""The running service: its parts, the worker that executes runs, and the scheduler."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from app.adapters import (
    build_mail_client,
    open_avito_clients,
    open_database,
    open_grader,
    read_listed_texts,
)
from app.clients.avito import AvitoClient
from app.clients.retry import RetryPolicy
from app.clock import Clock, Monotonic, system_clock
from app.config import AvitoAccount, Settings
from app.database.engine import Database
from app.database.startup import PATIENCE_SECONDS
from app.domain.working_hours import ROUND_THE_CLOCK
from app.grading.rubric import Rubric
from app.jobs.clock_watch import ClockWatch
from app.jobs.daily import DayPlan
from app.jobs.due_runs import Timetable
from app.jobs.heartbeat import Heartbeats
from app.jobs.scheduler import Scheduler, watch_clock
from app.jobs.steps import StepDependencies, build_help, build_steps
from app.jobs.worker import FINISH_SECONDS, Worker
from app.models import RunKind
from app.services.analysis.grader import Grader
from app.services.analysis.worker_pool import WorkerPool
from app.services.mail.arrivals import Arrivals
from app.services.mail.settings import MailSettings
from app.services.pace import share_pace
from app.services.sync.authors import AuthorRules
from app.services.sync.hints import HintQueue
from app.services.sync.syncer import AvitoSource


@dataclass(frozen=True)
class Service:
    """The open parts of one process. REST reads them, the worker and the scheduler use them."""

    settings: Settings
    database: Database
    clock: Clock
    timetable: Timetable
    rubric: Rubric
    grader: Grader
    worker: Worker
    heartbeats: Heartbeats
    clock_watch: ClockWatch
    hints: HintQueue | None = None
    """The queue of webhook hints; None if the webhook is not configured."""
    may_exit: Callable[[], bool] = lambda: True
    """Whether the watchdog may end the process: no acknowledged delivery is still unwritten."""


@asynccontextmanager
async def open_service(
    settings: Settings,
    *,
    clock: Clock = system_clock,
    retry: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
    pool: Database | None = None,
    patience_seconds: float | None = PATIENCE_SECONDS,
    graders: WorkerPool | None = None,
    finish_seconds: float = FINISH_SECONDS,
    monotonic: Monotonic = time.monotonic,
) -> AsyncIterator[Service]:
    """Open the database and the clients, and build a worker that does not work yet.

    - ``pool`` (a migrated database) and ``graders`` (worker processes) outlive the service if they
      are given.
    - ``patience_seconds``: see ``open_database``.
    - ``finish_seconds``: grace period of a stopping worker for model calls in flight.
    - ``monotonic`` measures the age of heartbeats and jumps of the ``clock``.

    Raises:
        AppError: a part cannot be opened; the message names the setting.
    """
    async with (
        open_grader(settings, clock=clock, retry=retry, pool=graders) as grader,
        nullcontext(pool)
        if pool
        else open_database(settings, patience_seconds=patience_seconds) as database,
        open_avito_clients(
            settings,
            clock=clock,
            retry=retry,
            make_pace=partial(share_pace, database.with_patient_limits()),
        ) as clients,
        Arrivals() as arrivals,
    ):
        heartbeats = Heartbeats.by(monotonic)
        worker = Worker(database, clock, finish_seconds=finish_seconds, heartbeat=heartbeats.worker)
        parts = _OpenParts(database, clients, grader, arrivals)
        tools = _make_dependencies(settings, parts, clock)
        worker.register_steps(build_steps(tools, worker.wake))
        worker.register_help(build_help(tools))
        watch = ClockWatch(clock, monotonic)
        yield _make_service(settings, parts, worker, heartbeats, watch, clock)


@dataclass(frozen=True)
class _OpenParts:
    database: Database
    clients: list[tuple[AvitoAccount, AvitoClient]]
    grader: Grader
    arrivals: Arrivals


def _make_dependencies(settings: Settings, parts: _OpenParts, clock: Clock) -> StepDependencies:
    grade_within = timedelta(days=settings.grade_within_days)
    return StepDependencies(
        database=parts.database.with_patient_limits(),
        sources=[
            AvitoSource(
                name=account.name,
                client_id=account.client_id,
                client=client,
                readers=settings.avito_max_concurrency,
            )
            for account, client in parts.clients
        ],
        authors=AuthorRules(settings.report_timezone, read_listed_texts(settings)),
        grader=parts.grader,
        graders=settings.deepseek_max_concurrency,
        daily_budget_usd=settings.deepseek_daily_budget_usd,
        settling=settings.settling,
        post=_make_mail_settings(settings, grade_within, parts.arrivals),
        timetable=_make_timetable(settings),
        plan=DayPlan(timedelta(minutes=settings.run_deadline_minutes), grade_within),
        clock=clock,
    )


def _make_service(
    settings: Settings,
    parts: _OpenParts,
    worker: Worker,
    heartbeats: Heartbeats,
    clock_watch: ClockWatch,
    clock: Clock,
) -> Service:
    by_client_id = {account.client_id: client for account, client in parts.clients}
    return Service(
        settings=settings,
        database=parts.database,
        clock=clock,
        timetable=_make_timetable(settings),
        rubric=parts.grader.rubric,
        grader=parts.grader,
        worker=worker,
        heartbeats=heartbeats,
        clock_watch=clock_watch,
        hints=HintQueue(parts.database, by_client_id) if settings.webhook_url else None,
        may_exit=lambda: not parts.arrivals.unwritten,
    )


def _make_timetable(settings: Settings) -> Timetable:
    sync_interval = timedelta(minutes=settings.sync_interval_minutes)
    return Timetable(settings.report_time, settings.report_timezone, sync_interval)


def _make_mail_settings(
    settings: Settings, grade_within: timedelta, arrivals: Arrivals
) -> MailSettings:
    return MailSettings(
        build_mail_client(settings),
        settings.sender,
        settings.report_recipients,
        grade_within,
        working_time=settings.working_hours not in (None, ROUND_THE_CLOCK),
        settling=settings.settling,
        avito_clients=tuple(account.client_id for account in settings.accounts),
        arrivals=arrivals,
    )


@asynccontextmanager
async def working(
    service: Service, *, only: tuple[RunKind, int] | None = None
) -> AsyncIterator[asyncio.Task[None]]:
    """Execute runs, and schedule them if the scheduler is enabled; yield the worker's task.

    The caller may cancel the task early. ``only``: execute this one run (kind and number) and
    schedule nothing.
    """
    work = service.worker.work_forever() if only is None else service.worker.work_on(*only)
    task = asyncio.create_task(work, name="worker")
    tasks = [task]
    if service.hints is not None and only is None:
        tasks.append(asyncio.create_task(service.hints.write_forever(), name="hints"))
    try:
        with _scheduling(service) if only is None else nullcontext() as clock_task:
            tasks += [clock_task] if clock_task else []
            yield task
    finally:
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def _scheduling(service: Service) -> Iterator[asyncio.Task[None]]:
    """Run the scheduler if it is enabled; yield the task that watches the clock."""
    scheduler = None
    if service.settings.scheduler_enabled:
        scheduler = Scheduler(
            service.database,
            service.timetable,
            service.clock,
            wake=service.worker.wake,
            heartbeat=service.heartbeats.scheduler,
        )
        scheduler.start()
    try:
        yield asyncio.create_task(watch_clock(service.clock_watch, scheduler), name="clock")
    finally:
        if scheduler is not None:
            scheduler.stop()
