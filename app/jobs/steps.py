"""Which function carries out which kind of run, with everything that it needs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from app.clock import Clock
from app.database.engine import Database
from app.jobs.daily import DayPlan, run_day
from app.jobs.tick import Timetable
from app.models import RunKind
from app.services.analysis.analyzer import analyze_chats
from app.services.analysis.grader import Grader
from app.services.analysis.originals import RegradePeriod
from app.services.analysis.paid_work import PaidWork
from app.services.analysis.regrade import regrade_reports
from app.services.mail.composer import MailSettings
from app.services.mail.mailer import send_daily_report
from app.services.runs import RunContext, Step, StepResult
from app.services.sync.syncer import AvitoSource, sync_chats


@dataclass(frozen=True)
class StepDependencies:
    """What the steps work with."""

    database: Database
    sources: Sequence[AvitoSource]
    grader: Grader
    graders: int
    """Chats graded at a time."""
    daily_budget_usd: Decimal | None
    post: MailSettings
    timetable: Timetable
    plan: DayPlan
    clock: Clock
    paid: PaidWork = field(default_factory=PaidWork)


def build_steps(tools: StepDependencies, wake: Callable[[], None]) -> Mapping[RunKind, Step]:
    """The steps by kind of run; ``wake`` tells the worker that a run was queued."""

    async def sync(run: RunContext) -> StepResult:
        full = (
            bool(run.params.get("full")) and not run.repeated
        )  # else what changed since is left to do
        return await sync_chats(tools.database, tools.sources, tools.clock, run.progress, full=full)

    async def analyze(run: RunContext) -> StepResult:
        # One kind of run for both: they share the model, and the day's budget is counted by one run
        # at a time.
        grade = regrade_reports if RegradePeriod.is_in(run.params) else analyze_chats
        return await grade(
            tools.database,
            tools.grader,
            tools.clock,
            run,
            paid=tools.paid,
            workers=tools.graders,
            daily_budget_usd=tools.daily_budget_usd,
        )

    async def mail(run: RunContext) -> StepResult:
        return await send_daily_report(
            tools.database, tools.post, tools.timetable.zone, tools.clock, run
        )

    async def daily(run: RunContext) -> StepResult:
        return await run_day(
            tools.database, tools.plan, tools.timetable.zone, tools.clock, wake, run
        )

    return {RunKind.SYNC: sync, RunKind.ANALYZE: analyze, RunKind.MAIL: mail, RunKind.DAILY: daily}
