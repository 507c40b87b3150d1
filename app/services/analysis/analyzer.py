"""Grades the chats that are due: takes them under a lease, asks the model with no transaction open,
hands each result on to be written.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.clock import Clock, Deadline
from app.database.engine import Database
from app.domain.episode import why_ungradeable, window
from app.domain.outcomes import Outcome
from app.repositories import gradings, messages, reports
from app.repositories.gradings import Scope
from app.russian_text import plural
from app.services.analysis.budget import DailyBudget
from app.services.analysis.grader import Grader, Grading
from app.services.analysis.grading_pool import READ_AHEAD, GradingCase, GradingPool
from app.services.analysis.outcomes import OutcomeWriter
from app.services.analysis.paid_work import Finding, PaidWork
from app.services.analysis.transcript import Transcript, build_transcript
from app.services.requested_chats import describe_unknown, list_unknown_chats
from app.services.runs import RunContext, StepResult


@dataclass(frozen=True)
class AnalyzeParams:
    """What a grading run is to do, as it stands in the run's parameters. ``deadline``: take no more
    chats from then on.
    """

    scope: Scope
    limit: int | None
    deadline: datetime | None

    @classmethod
    def of(cls, run: RunContext) -> "AnalyzeParams":
        """Reads them from a run."""
        params = run.params
        chat_ids = params.get("chat_ids")
        written_since, deadline = params.get("written_since"), params.get("deadline")
        scope = Scope(
            written_since=datetime.fromisoformat(written_since) if written_since else None,
            chat_ids=None if chat_ids is None else tuple(chat_ids),
            force=bool(params.get("force")),
            done_since=run.done_since,
        )
        return cls(
            scope, params.get("limit"), datetime.fromisoformat(deadline) if deadline else None
        )


async def analyze_chats(
    database: Database,
    grader: Grader,
    clock: Clock,
    run: RunContext,
    *,
    paid: PaidWork,
    workers: int,
    daily_budget_usd: Decimal | None,
) -> StepResult:
    """Grades what is due, ``workers`` chats at a time, and tells what became of every chat it
    found.
    """
    await paid.book(database)
    budget = DailyBudget(database, daily_budget_usd, grader.zone, clock, paid)
    analysis = _Analysis(database, grader, budget, clock, run, paid)
    await analysis.carry_out(workers)
    counts, unknown, judges = (
        await analysis.count(),
        await analysis.list_unknown_chats(),
        analysis.judges,
    )
    figures: dict[str, Any] = dict(counts)
    if unknown:
        figures["unknown_chats"] = len(unknown)
    if judges.why_stopped and not judges.cut_short:
        figures["problems"] = [judges.why_stopped]
    message = _summary(counts, judges.why_stopped, unknown)
    return StepResult(not judges.access_lost, message, figures, cut_short=judges.cut_short)


class _Analysis:
    """One grading run: what it has taken, what it has found out, and why it stopped."""

    def __init__(
        self,
        database: Database,
        grader: Grader,
        budget: DailyBudget,
        clock: Clock,
        run: RunContext,
        paid: PaidWork,
    ) -> None:
        self._database = database
        self._grader = grader
        self._clock = clock
        self._run = run
        self._params = AnalyzeParams.of(run)
        self._paid = paid
        self._outcomes = OutcomeWriter(database, grader, clock, run, paid)
        self.judges = GradingPool(
            database,
            grader,
            budget,
            run=run,
            paid=paid,
            done=self._keep,
            ready=self._outcomes.wait_writable,
        )

    async def carry_out(self, workers: int) -> None:
        """Takes chats in small batches and grades them until none is left or something stops the
        run.
        """
        async with self._database.session() as session:
            due = await gradings.count_due(session, self._params.scope, self._run.id)
        limit = self._params.limit
        self._run.progress.done, self._run.progress.total = (
            0,
            due if limit is None else min(due, limit),
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(self._outcomes.write_all())
            await self.judges.grade_all(self._gradeable(), workers)
            await self._outcomes.end()
        if (
            self._params.scope.chat_ids is None
            and limit is None
            and self.judges.stopped_by is None
            and not self.judges.cut_short
        ):
            self._paid.drop_before(self._run.id)
        await self._paid.book(self._database)
        stopped_by = self.judges.stopped_by
        if stopped_by and not self.judges.cut_short and self._params.scope.written_since:
            async with self._database.transaction() as session:
                await gradings.mark_waiting(
                    session, self._params.scope, self._run.id, reason=stopped_by, now=self._clock()
                )

    async def count(self) -> dict[str, int]:
        """The figures of the answer, from what stands in the tables: true also for a run that
        several processes worked on.
        """
        async with self._database.session() as session:
            settled = await gradings.count_settled(session, self._run.id)
            return {
                "analyzed_chats": await reports.count_by_run(session, self._run.id),
                "skipped_chats": settled.get(Outcome.SKIPPED, 0),
                "failed_chats": settled.get(Outcome.FAILED, 0),
                "waiting_chats": (
                    settled.get(Outcome.WAITING, 0)
                    + await gradings.count_due(session, self._params.scope, self._run.id)
                ),
            }

    async def list_unknown_chats(self) -> list[str]:
        """The ids that were asked for and that no chat has."""
        return await list_unknown_chats(self._database, self._params.scope.chat_ids or ())

    async def _gradeable(self) -> AsyncIterator[GradingCase[Transcript]]:
        """The chats that can be graded; the others are skipped with their reason."""
        async for taken in self._taken():
            graded = window(taken.messages, self._grader.episode_gap)
            reason = why_ungradeable(graded)
            if reason is None and (kept := self._paid.find(taken, graded)):
                await self._outcomes.add(
                    Finding(taken, Outcome.GRADED, grading=kept, graded=graded)
                )
            elif reason is None:
                yield GradingCase(taken, graded, taken.names)
            else:
                await self._outcomes.add(Finding(taken, Outcome.SKIPPED, reason.value))

    async def _taken(self) -> AsyncIterator[Transcript]:
        limit, ends_at, now = self._params.limit, self._params.deadline, self._clock()
        deadline = Deadline(ends_at - now, since=now, clock=self._clock) if ends_at else None
        taken = 0
        while limit is None or taken < limit:
            if deadline is not None and deadline.passed:
                self.judges.stop("срок дня вышел")
                return
            batch = await self._take(
                READ_AHEAD if limit is None else min(limit - taken, READ_AHEAD)
            )
            if not batch:
                return
            taken += len(batch)
            for chat in batch:
                yield chat

    async def _take(self, most: int) -> list[Transcript]:
        async with self._database.transaction() as session:
            claimed = await gradings.claim_due(
                session, self._params.scope, self._run.id, self._run.token, limit=most
            )
        if not claimed:
            return []
        async with self._database.session() as session:
            words = await messages.list_words(session, [chat.id for chat in claimed])
        return [build_transcript(chat, words[chat.id]) for chat in claimed]

    async def _keep(self, case: GradingCase[Transcript], result: Grading | str) -> None:
        if isinstance(result, Grading):
            finding = Finding(case.subject, Outcome.GRADED, grading=result, graded=case.window)
        else:
            finding = Finding(case.subject, Outcome.FAILED, result)
        await self._outcomes.add(finding)


def _summary(figures: Mapping[str, int], why_stopped: str | None, unknown: Sequence[str]) -> str:
    made = plural(figures["analyzed_chats"], "отчёт", "отчёта", "отчётов")
    parts = [
        f"Создано: {made}; пропущено чатов: {figures['skipped_chats']}, с ошибкой:"
        f" {figures['failed_chats']}, ждут: {figures['waiting_chats']}."
    ]
    if unknown:
        parts.append(f"Из названных {describe_unknown(unknown)}.")
    if why_stopped:
        parts.append(f"Остановлено: {why_stopped}")
    return " ".join(parts)
