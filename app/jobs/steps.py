"""The step of each kind of run, bound to its dependencies."""

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from app.clock import Clock
from app.database.engine import Database
from app.domain.settling import SettlingRule
from app.jobs.daily import DayPlan, run_day
from app.jobs.due_runs import Timetable
from app.jobs.helping import Help, Helper
from app.models import Run, RunKind
from app.services.analysis.analyzer import analyze_chats, help_to_analyze
from app.services.analysis.grader import Grader
from app.services.analysis.paid_work import PaidWork
from app.services.analysis.regrade import regrade_reports
from app.services.mail.mailer import send_daily_report
from app.services.mail.settings import MailSettings
from app.services.run_params import (
    AnalyzeParams,
    DailyParams,
    MailParams,
    RegradeParams,
    RunParams,
    SyncParams,
    parse_params,
    parse_repeats,
)
from app.services.runs import Progress, RunContext, Step, StepResult
from app.services.sync.authors import AuthorRules
from app.services.sync.syncer import AvitoSource, sync_chats


@dataclass(frozen=True)
class StepDependencies:
    """The dependencies of all steps."""

    database: Database
    sources: Sequence[AvitoSource]
    authors: AuthorRules
    grader: Grader
    graders: int
    """Chats graded at a time."""
    daily_budget_usd: Decimal | None
    settling: SettlingRule
    post: MailSettings
    timetable: Timetable
    plan: DayPlan
    clock: Clock
    paid: PaidWork = field(default_factory=PaidWork)


def build_steps(tools: StepDependencies, wake: Callable[[], None]) -> Mapping[RunKind, Step]:
    """Return the steps by kind of run; ``wake`` notifies the worker of a queued run."""
    return {
        RunKind.SYNC: partial(_execute_sync, tools),
        RunKind.ANALYZE: partial(_execute_grading, tools),
        RunKind.MAIL: partial(_execute_mail, tools),
        RunKind.DAILY: partial(_execute_day, tools, wake),
    }


def build_help(tools: StepDependencies) -> Help:
    """Return what a worker does while it executes no grading run."""
    return Helper(tools.database, tools.graders, partial(_help_with_run, tools)).help_once


async def _execute_sync(tools: StepDependencies, run: RunContext[RunParams]) -> StepResult:
    # If the same full sync was under way, only later changes are left to read.
    full = run.require_params(SyncParams).params.full and not run.repeated
    return await sync_chats(
        tools.database, tools.sources, tools.clock, run.progress, tools.authors, full=full
    )


async def _execute_grading(tools: StepDependencies, run: RunContext[RunParams]) -> StepResult:
    # One kind of run for both: they share the model and the daily budget, which only one run at a
    # time may spend.
    if isinstance(run.params, RegradeParams):
        grade = partial(regrade_reports, run=run.require_params(RegradeParams))
    else:
        grade = partial(
            analyze_chats, run=run.require_params(AnalyzeParams), settling=tools.settling
        )
    return await grade(
        tools.database,
        tools.grader,
        tools.clock,
        paid=tools.paid,
        workers=tools.graders,
        daily_budget_usd=tools.daily_budget_usd,
    )


async def _help_with_run(tools: StepDependencies, run: Run, stopping: asyncio.Event) -> None:
    """Grade chats of a run that another process has claimed, under a token of this process."""
    assert run.help_token is not None  # noqa: S101 - other processes may join it
    context = RunContext(
        id=run.id,
        slot=run.slot,
        params=parse_params(run),
        repeats=parse_repeats(run),
        token=uuid.uuid4(),
        started_at=run.started_at or tools.clock(),
        progress=Progress(),
        stopping=stopping,
    )
    await help_to_analyze(
        tools.database,
        tools.grader,
        tools.clock,
        context.require_params(AnalyzeParams),
        holder=run.help_token,
        paid=tools.paid,
        workers=tools.graders,
        daily_budget_usd=tools.daily_budget_usd,
        settling=tools.settling,
    )


async def _execute_mail(tools: StepDependencies, run: RunContext[RunParams]) -> StepResult:
    params = run.require_params(MailParams)
    return await send_daily_report(
        tools.database, tools.post, tools.timetable.zone, tools.clock, params
    )


async def _execute_day(
    tools: StepDependencies, wake: Callable[[], None], run: RunContext[RunParams]
) -> StepResult:
    params = run.require_params(DailyParams)
    return await run_day(
        tools.database, tools.plan, tools.timetable.zone, tools.clock, wake, params
    )
