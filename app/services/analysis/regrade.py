"""Grade the reports of a period again: the same messages with the current rubric and model.

The old reports are not changed.
"""

from collections.abc import Sequence
from decimal import Decimal
from functools import partial

from app.clock import Clock
from app.database.engine import Database
from app.domain.messages import ChatMessage
from app.repositories import model_exchanges, reports
from app.repositories.regrades import Original
from app.russian_text import plural
from app.services.analysis.budget import DailyBudget
from app.services.analysis.exchange import make_exchange_rows
from app.services.analysis.grader import Grader, Grading, keep_prompt
from app.services.analysis.grading_pool import Failure, GradingCase, GradingPool
from app.services.analysis.originals import count_originals, list_originals
from app.services.analysis.paid_work import PaidWork, write_patiently
from app.services.analysis.part import GradingPart
from app.services.analysis.report_body import make_regrade_columns
from app.services.problems import Problem, describe_problems
from app.services.run_params import RegradeParams
from app.services.runs import RunContext, StepResult


async def regrade_reports(
    database: Database,
    grader: Grader,
    clock: Clock,
    run: RunContext[RegradeParams],
    *,
    paid: PaidWork,
    workers: int,
    daily_budget_usd: Decimal | None,
) -> StepResult:
    """Grade each report's messages again; write the second grading as a report of its own kind."""
    period = run.params.period
    await paid.book(database)
    await keep_prompt(database, grader, clock())
    regrading = _Regrading(database, grader, clock, run, paid)
    part = GradingPart(database, run, grader.requests, limit=workers, holder=run.token)
    budget = DailyBudget(daily_budget_usd, grader.zone, clock, paid, part)
    pool = GradingPool(database, grader, budget, run=run, paid=paid, done=regrading.keep)
    run.progress.done = 0
    run.progress.total = await count_originals(database, period, done_by=run.repeated)
    originals = list_originals(database, period, grader.episode_gap, done_by=run.repeated)
    async with part.hold():
        await pool.grade_all(originals, workers)
    return StepResult(
        not pool.access_lost,
        regrading.make_summary(pool.problems),
        regrading.count(),
        problems=pool.problems,
        cut_short=pool.cut_short,
    )


class _Regrading:
    """The counts of a run, and the writing of its gradings."""

    def __init__(
        self,
        database: Database,
        grader: Grader,
        clock: Clock,
        run: RunContext[RegradeParams],
        paid: PaidWork,
    ) -> None:
        self._database = database
        self._zone = grader.zone
        self._clock = clock
        self._run = run
        self._paid = paid
        self._regraded = 0
        self._failed = 0

    async def keep(self, case: GradingCase[Original], result: Grading | Failure) -> None:
        """Write the second grading; only count a failure."""
        if isinstance(result, Grading):
            try:
                await write_patiently(
                    self._run, partial(self._write, case.subject, case.window, result)
                )
            except BaseException:  # includes the cancellation of the run
                self._paid.lose(self._run.id, result.cost_usd or Decimal(0))
                raise
            self._regraded += 1
        else:
            self._failed += 1
        self._run.progress.done += 1
        self._run.progress.figures = self.count()

    async def _write(
        self, original: Original, graded: Sequence[ChatMessage], grading: Grading
    ) -> None:
        async with self._database.transaction() as session:
            number = await reports.reserve_number(session)
            now = self._clock().astimezone(self._zone)
            columns = make_regrade_columns(
                number, original, graded, grading, run_id=self._run.id, now=now
            )
            await reports.add_reports(session, [columns])
            rows = make_exchange_rows(
                grading.exchanges,
                chat_id=original.chat_id,
                run_id=self._run.id,
                report_id=number,
            )
            await model_exchanges.add_exchanges(session, rows)

    def count(self) -> dict[str, int]:
        """Return the numbers of the run."""
        return {"regraded_reports": self._regraded, "failed_reports": self._failed}

    def make_summary(self, problems: Sequence[Problem]) -> str:
        """Return the message of the run."""
        parts = [
            f"Оценено заново: {plural(self._regraded, 'отчёт', 'отчёта', 'отчётов')}; с ошибкой:"
            f" {self._failed}."
        ]
        parts += [f"Остановлено: {problem}" for problem in describe_problems(problems)]
        return " ".join(parts)
