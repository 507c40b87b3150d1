"""Grades the chats that are due: takes them under a lease, asks the model with no transaction open, hands each result on to be written.

What costs a chat and what costs the run: a wrong key or an empty balance stops it at once; where five chats in a row fail without a
success between them, it is not the chats, and it stops. Anything else costs the one chat. What was not reached keeps waiting.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from app.clients.deepseek.errors import DeepSeekAccessError, DeepSeekError, DeepSeekRequestError, DeepSeekUnavailableError
from app.clock import Clock
from app.database.engine import Database
from app.grading.chat import ChatMessage
from app.grading.episode import why_ungradeable, window
from app.models import Outcome
from app.repositories import gradings, messages, reports, runs
from app.repositories.gradings import ClaimedChat, Scope
from app.services.budget import BudgetSpentError, DailyBudget
from app.services.grader import Grader, Grading, UngradedError
from app.services.outcomes import BATCH, Finding, OutcomeWriter
from app.services.plural import plural
from app.services.runs import RunContext, StepResult
from app.services.transcripts import Transcript, transcript_of

FAILURES_IN_A_ROW = 5


@dataclass(frozen=True)
class AnalyzeParams:
    """What a grading run is to do, as it stands in the run's parameters. ``deadline``: take no more chats from then on."""

    scope: Scope
    limit: int | None
    deadline: datetime | None

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> "AnalyzeParams":
        """Reads them from a run."""
        chat_ids = params.get("chat_ids")
        written_since, deadline = params.get("written_since"), params.get("deadline")
        scope = Scope(
            written_since=datetime.fromisoformat(written_since) if written_since else None,
            chat_ids=None if chat_ids is None else tuple(chat_ids),
            force=bool(params.get("force")),
        )
        return cls(scope, params.get("limit"), datetime.fromisoformat(deadline) if deadline else None)


async def analyze_chats(
    database: Database, grader: Grader, clock: Clock, run: RunContext, *, workers: int, daily_budget_usd: Decimal | None
) -> StepResult:
    """Grades what is due, ``workers`` chats at a time, and tells what became of every chat it found."""
    budget = DailyBudget(database, daily_budget_usd, grader.zone, clock)
    analysis = _Analysis(database, grader, budget, clock, run)
    await analysis.carry_out(workers)
    figures = await analysis.count()
    return StepResult(ok=not analysis.access_lost, message=_summary(figures, analysis.stopped_by), figures=figures)


class _TakenChat(NamedTuple):
    """A chat under our lease, with its messages."""

    chat: ClaimedChat
    transcript: Transcript


class _Analysis:
    """One grading run: what it has taken, what it has seen fail, and why it stopped."""

    def __init__(self, database: Database, grader: Grader, budget: DailyBudget, clock: Clock, run: RunContext) -> None:
        self._database = database
        self._grader = grader
        self._budget = budget
        self._clock = clock
        self._run = run
        self._params = AnalyzeParams.of(run.params)
        self._outcomes = OutcomeWriter(database, grader, clock, run)
        self._taken = 0
        self._suspects: list[tuple[ClaimedChat, Transcript, DeepSeekError]] = []
        self.stopped_by: str | None = None
        """A Russian clause: why chats were left."""
        self.access_lost = False

    async def carry_out(self, workers: int) -> None:
        """Takes chats in small batches and grades them until none is left or something stops the run."""
        async with self._database.session() as session:
            due = await gradings.count_due(session, self._params.scope, self._run.id)
        limit = self._params.limit
        self._run.progress.done, self._run.progress.total = 0, due if limit is None else min(due, limit)
        queue: asyncio.Queue[_TakenChat | None] = asyncio.Queue(maxsize=BATCH)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._outcomes.write_all())
            graders = [group.create_task(self._worker(queue)) for _ in range(workers)]
            await self._feed(queue)
            for _ in graders:
                await queue.put(None)
            await asyncio.gather(*graders)
            if not self.access_lost:  # too few to blame anything but the chats
                await self._fail_suspects()
            await self._outcomes.end()
        if self.stopped_by and self._params.scope.written_since:
            async with self._database.transaction() as session:
                await gradings.mark_waiting(session, self._params.scope, self._run.id, reason=self.stopped_by, now=self._clock())

    async def count(self) -> dict[str, int]:
        """The figures of the answer, from what stands in the tables: true also for a run that several processes worked on."""
        async with self._database.session() as session:
            settled = await gradings.count_settled(session, self._run.id)
            return {
                "analyzed_chats": await reports.count_by_run(session, self._run.id),
                "skipped_chats": settled.get(Outcome.SKIPPED, 0),
                "failed_chats": settled.get(Outcome.FAILED, 0),
                "waiting_chats": settled.get(Outcome.WAITING, 0) + await gradings.count_due(session, self._params.scope, self._run.id),
            }

    async def _feed(self, queue: asyncio.Queue[_TakenChat | None]) -> None:
        deadline, limit = self._params.deadline, self._params.limit
        while self.stopped_by is None:
            if deadline is not None and self._clock() >= deadline:
                self.stopped_by = "срок дня вышел"
                return
            batch = await self._take(BATCH if limit is None else min(limit - self._taken, BATCH))
            if not batch:
                return
            self._taken += len(batch)
            for chat in batch:
                await queue.put(chat)

    async def _take(self, most: int) -> list[_TakenChat]:
        async with self._database.transaction() as session:
            claimed = await gradings.claim_due(session, self._params.scope, self._run.id, self._run.token, limit=most)
        if not claimed:
            return []
        async with self._database.session() as session:
            words = await messages.list_words(session, [chat.id for chat in claimed])
        return [_TakenChat(chat, transcript_of(chat, words[chat.id])) for chat in claimed]

    async def _worker(self, queue: asyncio.Queue[_TakenChat | None]) -> None:
        while (taken := await queue.get()) is not None:
            if self.stopped_by is None:  # else what is still in the queue is left
                await self._handle(*taken)

    async def _handle(self, chat: ClaimedChat, transcript: Transcript) -> None:
        graded = window(transcript.messages, self._grader.episode_gap)
        reason = why_ungradeable(graded)
        if reason is not None:
            await self._outcomes.add(Finding(chat, transcript, Outcome.SKIPPED, reason.value))
            return
        try:
            grading = await self._grade(graded, transcript)
        except BudgetSpentError as error:
            self.stopped_by = self.stopped_by or error.message
        except DeepSeekAccessError as error:
            self.access_lost, self.stopped_by = True, error.message
        except (DeepSeekUnavailableError, DeepSeekRequestError) as error:
            self._suspect(chat, transcript, error)
        except (DeepSeekError, UngradedError) as error:
            await self._outcomes.add(Finding(chat, transcript, Outcome.FAILED, error.message))
        else:
            await self._outcomes.add(Finding(chat, transcript, Outcome.GRADED, grading=grading, graded=graded))
            await self._fail_suspects()

    async def _grade(self, graded: Sequence[ChatMessage], transcript: Transcript) -> Grading:
        async with self._budget.spend(self._grader.most_usd(graded)) as expense:
            try:
                grading = await self._grader.grade(graded, names=transcript.names)
            except (DeepSeekError, UngradedError) as error:
                expense.paid = self._grader.cost_usd(error.usage) or Decimal(0)
                if expense.paid:
                    async with self._database.transaction() as session:
                        await runs.add_lost(session, self._run.id, expense.paid)
                raise
            expense.paid = grading.cost_usd or Decimal(0)
            return grading

    def _suspect(self, chat: ClaimedChat, transcript: Transcript, error: DeepSeekError) -> None:
        """A failure that may be the chat's or everybody's: the next success tells, or the fifth such failure without one."""
        self._suspects.append((chat, transcript, error))
        if len(self._suspects) >= FAILURES_IN_A_ROW:
            self.access_lost, self.stopped_by = True, error.message

    async def _fail_suspects(self) -> None:
        while self._suspects:
            chat, transcript, error = self._suspects.pop()
            await self._outcomes.add(Finding(chat, transcript, Outcome.FAILED, error.message))


def _summary(figures: Mapping[str, int], stopped_by: str | None) -> str:
    made = plural(figures["analyzed_chats"], "отчёт", "отчёта", "отчётов")
    parts = [
        f"Создано: {made}; пропущено чатов: {figures['skipped_chats']}, с ошибкой: {figures['failed_chats']}, "
        f"ждут: {figures['waiting_chats']}."
    ]
    if stopped_by:
        parts.append(f"Остановлено: {stopped_by.rstrip('.')}. Сделанное сохранено.")
    return " ".join(parts)
