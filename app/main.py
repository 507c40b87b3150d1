"""Builds the service from its settings: the only place that does. ``open_service`` for whoever
works, ``create_app`` for REST.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta

from fastapi import FastAPI

from app.api.dependencies import Backend
from app.api.docs import add_docs
from app.api.errors import install_error_handlers
from app.api.head import HeadAsGet
from app.api.headers import PrivateAnswers
from app.api.health import router as health_router
from app.api.key_before_body import KeyBeforeBody
from app.api.page import page_router
from app.api.v1.router import router as v1_router
from app.api.webhook import webhook_router
from app.clients.avito import AvitoClient, AvitoCredentials, avito_http
from app.clients.deepseek import DeepSeekClient
from app.clients.mail import MailClient, OutboxFolder, SmtpClient
from app.clients.retry import RetryPolicy
from app.clock import Clock, Monotonic, system_clock
from app.config import AvitoAccount, Settings
from app.database.embedded import embedded_postgres
from app.database.engine import Database
from app.database.startup import PATIENCE_SECONDS, prepare
from app.domain.working_hours import ROUND_THE_CLOCK
from app.errors import SettingsError
from app.grading.rubric import Rubric, RubricError, load_rubric
from app.jobs.clock_watch import ClockWatch
from app.jobs.daily import DayPlan
from app.jobs.heartbeat import Heartbeats
from app.jobs.scheduler import Scheduler, watch_clock
from app.jobs.steps import StepDependencies, build_steps
from app.jobs.tick import Timetable
from app.jobs.worker import FINISH_SECONDS, Worker
from app.models import RunKind
from app.services.analysis.grader import Grader
from app.services.analysis.worker_pool import WorkerPool
from app.services.mail.arrivals import Arrivals
from app.services.mail.composer import MailSettings
from app.services.sync.hints import HintQueue
from app.services.sync.syncer import AvitoSource

_SMTP_TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Service:
    """The parts that are alive while the service is open."""

    settings: Settings
    database: Database
    clock: Clock
    timetable: Timetable
    worker: Worker
    heartbeats: Heartbeats
    clock_watch: ClockWatch
    hints: HintQueue | None = None
    """Where webhooks leave what they tell; None: the receiver is off."""
    may_exit: Callable[[], bool] = lambda: True
    """Whether nothing is held that only this process knows: only then does the watchdog end it."""


@asynccontextmanager
async def open_database(
    settings: Settings, *, migrated: bool = True, patience_seconds: float | None = PATIENCE_SECONDS
) -> AsyncIterator[Database]:
    """The database of the settings, reachable and migrated; the embedded one is started where no
    address is set.

    With ``migrated=False`` its tables stay as they are found. ``patience_seconds`` limits the wait
    for a server that is not ready yet; None: without a limit.

    Raises:
        AppError: it cannot be reached or started; one sentence that names the setting.
    """
    async with AsyncExitStack() as stack:
        if settings.database_url is None:
            url = await stack.enter_async_context(embedded_postgres(settings.data_dir))
        else:
            url = settings.database_url.get_secret_value()
        database = Database(
            url, pool_size=settings.database_pool_size, embedded=settings.database_url is None
        )
        stack.push_async_callback(database.close)
        await prepare(database, migrated=migrated, patience_seconds=patience_seconds)
        yield database


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
    """The database, the clients and a worker that is not working yet.

    ``pool``: a database that is open and migrated already, and ``graders``: worker processes; both
    stay after the service. ``patience_seconds``: as of ``open_database``. ``finish_seconds``: how
    long the worker, told to stop, waits for the model's answers under way. ``monotonic`` measures
    the age of the parts' last success and finds jumps of the ``clock``.
    """
    async with (
        open_grader(settings, clock=clock, retry=retry, pool=graders) as grader,
        nullcontext(pool)
        if pool
        else open_database(settings, patience_seconds=patience_seconds) as database,
        avito_clients(settings, clock=clock, retry=retry) as clients,
        Arrivals() as arrivals,
    ):
        sources = [
            AvitoSource(
                name=account.name,
                client_id=account.client_id,
                client=client,
                readers=settings.avito_max_concurrency,
            )
            for account, client in clients
        ]
        zone = settings.report_timezone
        timetable = Timetable(
            settings.report_time, zone, timedelta(minutes=settings.sync_interval_minutes)
        )
        plan = DayPlan(
            timedelta(minutes=settings.run_deadline_minutes),
            timedelta(days=settings.grade_within_days),
        )
        tools = StepDependencies(
            database=database.patient(),
            sources=sources,
            grader=grader,
            graders=settings.deepseek_max_concurrency,
            daily_budget_usd=settings.deepseek_daily_budget_usd,
            post=MailSettings(
                mail_client(settings),
                settings.sender,
                settings.report_recipients,
                plan.grade_within,
                working_time=settings.working_hours not in (None, ROUND_THE_CLOCK),
                avito_clients=tuple(account.client_id for account in settings.accounts),
                arrivals=arrivals,
            ),
            timetable=timetable,
            plan=plan,
            clock=clock,
        )
        heartbeats = Heartbeats.by(monotonic)
        worker = Worker(database, clock, finish_seconds=finish_seconds, heartbeat=heartbeats.worker)
        worker.register_steps(build_steps(tools, worker.wake))
        hints = (
            HintQueue(database, {account.client_id: client for account, client in clients})
            if settings.webhook_url
            else None
        )
        clock_watch = ClockWatch(clock, monotonic)
        yield Service(
            settings,
            database,
            clock,
            timetable,
            worker,
            heartbeats,
            clock_watch,
            hints,
            lambda: not arrivals.unwritten,
        )


@asynccontextmanager
async def open_grader(
    settings: Settings,
    *,
    clock: Clock = system_clock,
    retry: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
    pool: WorkerPool | None = None,
) -> AsyncIterator[Grader]:
    """The model and the rubric of the settings. ``pool``: processes that stay after the grader.

    Raises:
        SettingsError: the rubric's file cannot be used.
    """
    rubric = rubric_of(settings)
    deepseek = DeepSeekClient(
        str(settings.deepseek_base_url),
        settings.deepseek_api_key.get_secret_value() if settings.deepseek_api_key else "",
        settings.deepseek_model,
        max_concurrency=settings.deepseek_max_concurrency,
        timeout_seconds=settings.deepseek_timeout_seconds,
        retry=retry,
        clock=clock,
        omit=settings.deepseek_omit,
    )
    async with deepseek, nullcontext(pool) if pool else WorkerPool() as processes:
        yield Grader(
            deepseek,
            processes,
            rubric,
            settings.report_timezone,
            clock,
            episode_gap=timedelta(hours=settings.episode_gap_hours),
            working_hours=settings.working_hours or ROUND_THE_CLOCK,
            masking=settings.mask_personal_data,
        )


def rubric_of(settings: Settings) -> Rubric:
    """The rubric that the settings name.

    Raises:
        SettingsError: it cannot be used.
    """
    try:
        return load_rubric(settings.rubric_file)
    except RubricError as error:
        raise SettingsError(f"RUBRIC_FILE: {error}") from None


@asynccontextmanager
async def avito_clients(
    settings: Settings,
    *,
    clock: Clock = system_clock,
    retry: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
) -> AsyncIterator[list[tuple[AvitoAccount, AvitoClient]]]:
    """Each account of the settings with the client that speaks for it."""
    async with avito_http(str(settings.avito_base_url)) as http:
        yield [
            (
                account,
                AvitoClient(
                    http,
                    AvitoCredentials(account.client_id, account.client_secret.get_secret_value()),
                    max_concurrency=settings.avito_max_concurrency,
                    requests_per_minute=settings.avito_requests_per_minute,
                    retry=retry,
                    clock=clock,
                ),
            )
            for account in settings.accounts
        ]


def mail_client(settings: Settings) -> MailClient:
    """The mail server of the settings, or the folder that takes its place."""
    if settings.smtp_host is None:
        return OutboxFolder(settings.data_dir / "outbox")
    return SmtpClient(
        settings.smtp_host,
        settings.smtp_server_port,
        username=settings.smtp_username,
        password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
        security=settings.smtp_encryption,
        ehlo_name=settings.smtp_ehlo_name,
        timeout_seconds=_SMTP_TIMEOUT_SECONDS,
    )


@asynccontextmanager
async def working(
    service: Service, *, only: tuple[RunKind, int] | None = None
) -> AsyncIterator[asyncio.Task[None]]:
    """The worker at work, and the scheduler where it is switched on; yields the worker's task,
    which may be cancelled early.

    ``only``: the kind and number of the one run that is to be worked on here, and nothing is
    scheduled.
    """
    work = service.worker.work_forever() if only is None else service.worker.work_on(*only)
    task = asyncio.create_task(work, name="worker")
    tasks = [task]
    if service.hints is not None and only is None:
        tasks.append(asyncio.create_task(service.hints.write_forever(), name="hints"))
    try:
        with _scheduling(service) if only is None else nullcontext() as watching:
            tasks += [watching] if watching else []
            yield task
    finally:
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def _scheduling(service: Service) -> Iterator[asyncio.Task[None]]:
    """The scheduler where it is switched on; yields the task that watches the clock."""
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


def create_app(service: Service) -> FastAPI:
    """The REST application over an open service."""
    app = FastAPI(
        title="Avito Quality API",
        version="1.0.0",
        summary="Копирует чаты Авито, оценивает их через DeepSeek, рассылает отчёты.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json" if service.settings.docs_enabled else None,
        redirect_slashes=False,
    )
    attach(app, service)
    install_error_handlers(app)
    app.add_middleware(KeyBeforeBody)
    app.add_middleware(HeadAsGet)
    app.add_middleware(PrivateAnswers)
    app.include_router(health_router)
    app.include_router(page_router())
    app.include_router(v1_router)
    secret = service.settings.avito_webhook_secret
    if service.hints is not None and secret is not None:
        app.include_router(webhook_router(service.hints, secret.get_secret_value()))
    if service.settings.docs_enabled:
        add_docs(app)
    return app


def attach(app: FastAPI, service: Service) -> None:
    """Has the application answer for this service from now on."""
    rubric = rubric_of(service.settings)
    worker = service.worker
    app.state.backend = Backend(
        service.settings,
        service.database,
        service.clock,
        service.timetable,
        rubric,
        worker.wake,
        worker.wait_run_finished,
        service.heartbeats,
        service.clock_watch,
    )
