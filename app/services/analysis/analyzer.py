"""Grade the due chats.

Chats are claimed under the run's lease. No transaction is open while the model is asked. Outcomes
are queued and written by a separate task.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from app.clock import Clock, Deadline
from app.database.engine import Database
from app.domain.episode import latest_episode, why_ungradeable, window
from app.domain.outcomes import Cause, Outcome, OutcomeCode
from app.domain.settling import SettlingRule
from app.domain.steadiness import is_repeated
from app.domain.substitutes import find_substitute
from app.repositories import due_chats, listings, messages, reports
from app.repositories.grading_scope import Scope
from app.repositories.report_filter import ReportFilter
from app.russian_text import plural
from app.services.analysis.budget import DailyBudget
from app.services.analysis.grader import Grader, Grading, keep_prompt
from app.services.analysis.grading_pool import READ_AHEAD, Failure, GradingCase, GradingPool
from app.services.analysis.outcome_writer import OutcomeWriter
from app.services.analysis.paid_work import Finding, PaidWork
from app.services.analysis.transcript import Transcript, build_transcript
from app.services.digests.steadiness import describe_equal_answers
from app.services.problems import describe_problems
from app.services.requested_chats import describe_unknown, list_unknown_chats
from app.services.run_params import AnalyzeParams
from app.services.runs import RunContext, StepResult


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

    Chats that are settling by the rule wait, which is no failure.
    """
    await paid.book(database)
    await keep_prompt(database, grader, clock())
    budget = DailyBudget(database, daily_budget_usd, grader.zone, clock, paid)
    analysis = _Analysis(database, grader, budget, clock, run, paid, settling)
    await analysis.run(workers)
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
        _make_summary(counts, analysis.settling, stops, unknown, warning),
        figures,
        problems=pool.problems,
        cut_short=pool.cut_short,
    )


class _Analysis:
    """One grading run."""

    def __init__(
        self,
        database: Database,
        grader: Grader,
        budget: DailyBudget,
        clock: Clock,
        run: RunContext[AnalyzeParams],
        paid: PaidWork,
        settling: SettlingRule,
    ) -> None:
        self._database = database
        self._grader = grader
        self._clock = clock
        self._run = run
        self._scope = Scope(
            written_since=run.params.written_since,
            chat_ids=run.params.chat_ids,
            force=run.params.force,
            done_since=run.done_since,
        )
        self._settling_rule = settling
        self._claimable = self._scope
        self.settling = 0
        """Number of chats that were left out because they are settling."""
        self._paid = paid
        self._outcomes = OutcomeWriter(database, grader, clock, run, paid)
        self.pool = GradingPool(
            database,
            grader,
            budget,
            run=run,
            paid=paid,
            done=self._keep,
            ready=self._outcomes.wait_writable,
        )

    async def run(self, workers: int) -> None:
        """Claim chats in small batches and grade them until none is left or the run is stopped."""
        async with self._database.session() as session:
            due = await due_chats.count_due(session, self._find_claimable(), self._run.id)
        limit = self._run.params.limit
        self._run.progress.done = 0
        self._run.progress.total = due if limit is None else min(due, limit)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._outcomes.write_all())
            await self.pool.grade_all(self._list_gradeable(), workers)
            await self._outcomes.end()
        if (
            self._scope.chat_ids is None
            and limit is None
            and self.pool.stopped_by is None
            and not self.pool.cut_short
        ):
            self._paid.drop_before(self._run.id)
        await self._paid.book(self._database)
        if not self.pool.cut_short:
            await self._mark_waiting()

    def _find_claimable(self) -> Scope:
        """Return the scope without the chats that are settling now."""
        span = self._settling_rule.find_span(self._clock())
        self._claimable = replace(self._scope, settling=span)
        return self._claimable

    async def _mark_waiting(self) -> None:
        """Store why chats were left: settling ones, and those that a stopped daily run left.

        A chat is settling here if it was when chats were last claimed. Every chat is therefore
        either claimed or marked.
        """
        stopped_by = self.pool.stopped_by if self._scope.written_since else None
        scope, run_id, now = self._claimable, self._run.id, self._clock()
        async with self._database.transaction() as session:
            if scope.settling is not None:
                self.settling = await due_chats.mark_settling(session, scope, run_id, now=now)
            if stopped_by is not None:
                await due_chats.mark_waiting(session, scope, run_id, cause=stopped_by, now=now)

    async def count(self) -> dict[str, int]:
        """Count the run's chats by outcome, including what other processes did for this run.

        A chat that has failed before and is settling now is not the run's: it stays failed.
        """
        scope, run_id = self._claimable, self._run.id
        async with self._database.session() as session:
            settled = await due_chats.count_settled(session, run_id)
            return {
                "analyzed_chats": await reports.count_by_run(session, run_id),
                "skipped_chats": settled.get(Outcome.SKIPPED, 0),
                "failed_chats": settled.get(Outcome.FAILED, 0),
                "waiting_chats": (
                    settled.get(Outcome.WAITING, 0)
                    + await due_chats.count_due(session, scope, run_id)
                    + await due_chats.count_settling(session, scope, run_id)
                ),
            }

    async def describe_equal_answers(self) -> str | None:
        """Return a warning if the model gave most chats of this run the same answers."""
        async with self._database.session() as session:
            return await describe_equal_answers(session, ReportFilter(run_id=self._run.id))

    async def list_unknown_chats(self) -> list[str]:
        """Return the requested IDs that no stored chat has."""
        return await list_unknown_chats(self._database, self._scope.chat_ids or ())

    async def _list_gradeable(self) -> AsyncIterator[GradingCase[Transcript]]:
        """Yield the chats that can be graded; skip the others with their cause."""
        async for transcript in self._claim_chats():
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

    async def _claim_chats(self) -> AsyncIterator[Transcript]:
        params, now = self._run.params, self._clock()
        limit, ends_at = params.limit, params.deadline
        deadline = Deadline(ends_at - now, since=now, clock=self._clock) if ends_at else None
        claimed = 0
        while limit is None or claimed < limit:
            if deadline is not None and deadline.passed:
                self.pool.stop(Cause(OutcomeCode.DEADLINE_PASSED))
                return
            batch = await self._claim_batch(
                READ_AHEAD if limit is None else min(limit - claimed, READ_AHEAD)
            )
            if not batch:
                return
            claimed += len(batch)
            for transcript in batch:
                yield transcript

    async def _claim_batch(self, most: int) -> list[Transcript]:
        async with self._database.transaction() as session:
            claimed = await due_chats.claim_due(
                session, self._find_claimable(), self._run.id, self._run.token, limit=most
            )
        if not claimed:
            return []
        async with self._database.session() as session:
            ids = [chat.id for chat in claimed]
            stored = await messages.list_words(session, ids)
            snapshots = await listings.list_snapshots(session, ids)
        return [build_transcript(chat, stored[chat.id], snapshots.get(chat.id)) for chat in claimed]

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
    settling: int,
    stops: Sequence[str],
    unknown: Sequence[str],
    warning: str | None,
) -> str:
    made = plural(figures["analyzed_chats"], "отчёт", "отчёта", "отчётов")
    going_on = f" ({OutcomeCode.SETTLING.label}: {settling})" if settling else ""
    parts = [
        f"Создано: {made}; пропущено чатов: {figures['skipped_chats']}, с ошибкой:"
        f" {figures['failed_chats']}, ждут: {figures['waiting_chats']}{going_on}."
    ]
    if unknown:
        parts.append(f"Из названных {describe_unknown(unknown)}.")
    parts += [f"Остановлено: {stop}" for stop in stops]
    if warning:
        parts.append(f"{warning}.")
    return " ".join(parts)
