"""Grade the due chats.

Chats are claimed under the run's lease. No transaction is open while the model is asked. Outcomes
are queued and written by a separate task.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from app.clock import Clock
from app.database.engine import Database
from app.domain.episode import latest_episode, why_ungradeable, window
from app.domain.outcomes import Cause, Outcome, OutcomeCode
from app.domain.settling import SettlingRule
from app.domain.steadiness import is_repeated
from app.domain.substitutes import find_substitute
from app.repositories import due_chats, reports
from app.repositories.report_filter import ReportFilter
from app.russian_text import plural
from app.services.analysis.budget import DailyBudget
from app.services.analysis.claimed_chats import ClaimedChats
from app.services.analysis.grader import Grader, Grading, keep_prompt
from app.services.analysis.grading_pool import Failure, GradingCase, GradingPool
from app.services.analysis.outcome_writer import OutcomeWriter
from app.services.analysis.paid_work import Finding, PaidWork
from app.services.analysis.part import GradingPart
from app.services.analysis.transcript import Transcript
from app.services.digests.steadiness import describe_equal_answers
from app.services.problems import describe_problems
from app.services.requested_chats import describe_unknown, list_unknown_chats
from app.services.run_params import AnalyzeParams
from app.services.runs import RunContext, StepResult

_LOADING = "первая синхронизация аккаунта не закончена"


async def analyze_chats(
    database: Database,
    grader: Grader,
    clock: Clock,
    run: RunContext[AnalyzeParams],
    *,
    paid: PaidWork,
    workers: int,
    daily_budget_usd: Decimal | None,
    settling: SettlingRule,
) -> StepResult:
    """Grade the due chats, ``workers`` at a time, and return their counts by outcome.

    Other processes may help, unless the run has a limit. Chats that are settling by the rule wait,
    which is no failure.
    """
    await paid.book(database)
    await keep_prompt(database, grader, clock())
    part = GradingPart(database, run, grader.requests, limit=workers, holder=run.token)
    budget = DailyBudget(daily_budget_usd, grader.zone, clock, paid, part)
    analysis = _Analysis(database, grader, budget, clock, run, paid, settling, part, workers)
    await analysis.run()
    counts, unknown = await analysis.count(), await analysis.list_unknown_chats()
    pool = analysis.pool
    figures: dict[str, Any] = dict(counts)
    if unknown:
        figures["unknown_chats"] = len(unknown)
    stops = describe_problems(pool.problems)
    warning = await analysis.describe_equal_answers()
    if stops and not pool.cut_short:
        figures["problems"] = stops
    return StepResult(
        not pool.access_lost,
        _make_summary(counts, analysis.describe_waits(), stops, unknown, warning),
        figures,
        problems=pool.problems,
        cut_short=pool.cut_short,
    )


async def help_to_analyze(
    database: Database,
    grader: Grader,
    clock: Clock,
    run: RunContext[AnalyzeParams],
    *,
    holder: uuid.UUID,
    paid: PaidWork,
    workers: int,
    daily_budget_usd: Decimal | None,
    settling: SettlingRule,
) -> None:
    """Grade chats of a run that another process has claimed with the token ``holder``.

    The service has at most ``workers`` requests in flight, and the same budget. ``run`` has this
    process's own token.
    """
    part = GradingPart(database, run, grader.requests, limit=workers, holder=holder)
    budget = DailyBudget(daily_budget_usd, grader.zone, clock, paid, part)
    analysis = _Analysis(database, grader, budget, clock, run, paid, settling, part, workers)
    await analysis.grade()
    await paid.book(database)


class _Analysis:
    """One process's part in a grading run."""

    def __init__(
        self,
        database: Database,
        grader: Grader,
        budget: DailyBudget,
        clock: Clock,
        run: RunContext[AnalyzeParams],
        paid: PaidWork,
        settling: SettlingRule,
        part: GradingPart,
        workers: int,
    ) -> None:
        self._database = database
        self._grader = grader
        self._clock = clock
        self._run = run
        self._chats = ClaimedChats(database, clock, run, settling, part, batch=workers)
        self.settling = 0
        """Number of chats that were left out because they are settling."""
        self.loading = 0
        """Number of other chats that were left out because their account is loading."""
        self._paid = paid
        self._part = part
        self._workers = workers
        self._outcomes = OutcomeWriter(database, grader, clock, run, paid, part)
        self.pool = GradingPool(
            database,
            grader,
            budget,
            run=run,
            paid=paid,
            done=self._keep,
            ready=self._outcomes.wait_writable,
        )

    async def run(self) -> None:
        """Grade chats until none is left or the run is stopped, and store why chats were left."""
        params = self._run.params
        async with self._database.session() as session:
            due = await due_chats.count_due(session, self._chats.find_claimable(), self._run.id)
        self._run.progress.done = 0
        self._run.progress.total = due if params.limit is None else min(due, params.limit)
        await self.grade()
        await self._part.wait_helpers()
        self._outcomes.update_progress()
        if (
            params.chat_ids is None
            and params.limit is None
            and self.pool.stopped_by is None
            and not self.pool.cut_short
        ):
            self._paid.drop_before(self._run.id)
        await self._paid.book(self._database)
        if not self.pool.cut_short:
            await self._mark_waiting()

    async def grade(self) -> None:
        """Claim chats in small batches and grade them."""
        is_open = self._run.params.limit is None
        async with self._part.hold(is_open=is_open), asyncio.TaskGroup() as group:
            group.create_task(self._outcomes.write_all())
            await self.pool.grade_all(self._list_gradeable(), self._workers)
            await self._outcomes.end()

    async def _mark_waiting(self) -> None:
        """Store why chats were left: settling ones, and those that a stopped daily run left.

        A chat is settling here if it was when chats were last claimed. Every chat is therefore
        either claimed or marked.
        """
        scope, run_id, now = self._chats.scope, self._run.id, self._clock()
        stopped_by = self.pool.stopped_by if scope.written_since else None
        async with self._database.transaction() as session:
            if scope.settling is not None:
                self.settling = await due_chats.mark_settling(session, scope, run_id, now=now)
            if stopped_by is not None:
                await due_chats.mark_waiting(session, scope, run_id, cause=stopped_by, now=now)

    async def count(self) -> dict[str, int]:
        """Count the run's chats by outcome, including what other processes did for this run.

        A chat that has failed before and is settling now is not the run's: it stays failed.
        """
        scope, run_id = self._chats.scope, self._run.id
        async with self._database.session() as session:
            handled = await due_chats.count_by_outcome(session, run_id)
            self.loading = await due_chats.count_loading(session, scope, run_id)
            return {
                "analyzed_chats": await reports.count_by_run(session, run_id),
                "skipped_chats": handled.get(Outcome.SKIPPED, 0),
                "failed_chats": handled.get(Outcome.FAILED, 0),
                "waiting_chats": (
                    handled.get(Outcome.WAITING, 0)
                    + await due_chats.count_due(session, scope, run_id)
                    + await due_chats.count_settling(session, scope, run_id)
                    + self.loading
                ),
            }

    def describe_waits(self) -> str:
        """Return why chats wait although the run was not stopped, in brackets; empty: none do."""
        waits = (OutcomeCode.SETTLING.label, self.settling), (_LOADING, self.loading)
        parts = [f"{label}: {count}" for label, count in waits if count]
        return f" ({', '.join(parts)})" if parts else ""

    async def describe_equal_answers(self) -> str | None:
        """Return a warning if the model gave most chats of this run the same answers."""
        async with self._database.session() as session:
            return await describe_equal_answers(session, ReportFilter(run_id=self._run.id))

    async def list_unknown_chats(self) -> list[str]:
        """Return the requested IDs that no stored chat has."""
        return await list_unknown_chats(self._database, self._run.params.chat_ids or ())

    async def _list_gradeable(self) -> AsyncIterator[GradingCase[Transcript]]:
        """Yield the chats that can be graded; skip the others with their cause."""
        async for transcript in self._chats.list_all(self.pool):
            gap = self._grader.episode_gap
            graded = window(transcript.messages, gap)
            code = why_ungradeable(
                graded,
                company_is_buyer=transcript.chat.company_is_buyer,
                substitute=find_substitute(transcript.messages),
            )
            if code is None and (kept := self._paid.find(transcript, graded)):
                await self._outcomes.add(
                    Finding(transcript, Outcome.GRADED, grading=kept, graded=graded)
                )
            elif code is None:
                earlier = len(latest_episode(transcript.messages, gap)) - len(graded)
                yield GradingCase(
                    transcript,
                    graded,
                    transcript.names,
                    earlier,
                    graded_at=self._clock(),
                    listing=transcript.listing,
                    is_repeated=is_repeated(
                        transcript.chat.id, graded[-1].id, self._grader.steadiness_share
                    ),
                )
            else:
                await self._outcomes.add(Finding(transcript, Outcome.SKIPPED, Cause(code)))

    async def _keep(self, case: GradingCase[Transcript], result: Grading | Failure) -> None:
        if isinstance(result, Grading):
            finding = Finding(case.subject, Outcome.GRADED, grading=result, graded=case.window)
        else:
            finding = Finding(
                case.subject, Outcome.FAILED, result.cause, failed_exchanges=result.exchanges
            )
        await self._outcomes.add(finding)


def _make_summary(
    figures: Mapping[str, int],
    waits: str,
    stops: Sequence[str],
    unknown: Sequence[str],
    warning: str | None,
) -> str:
    made = plural(figures["analyzed_chats"], "отчёт", "отчёта", "отчётов")
    parts = [
        f"Создано: {made}; пропущено чатов: {figures['skipped_chats']}, с ошибкой:"
        f" {figures['failed_chats']}, ждут: {figures['waiting_chats']}{waits}."
    ]
    if unknown:
        parts.append(f"Из названных {describe_unknown(unknown)}.")
    parts += [f"Остановлено: {stop}" for stop in stops]
    if warning:
        parts.append(f"{warning}.")
    return " ".join(parts)
