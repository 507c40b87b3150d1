"""Grade several chats at a time, and attribute each failure to the chat or to the service.

- Permanent failures of the service (wrong key, empty balance, unknown model or address): the run
  stops at once.
- Failures of the chat (text rejected by the provider, unusable answers): the chat has failed.
- Ambiguous failures (another 4xx, an outage, a timeout, a lasting 429): the chat becomes a suspect.
  The next chat that is graded proves that the model works, so the suspects have failed by
  themselves. Without such a chat, a probe decides at the fifth suspect or at the end of the run: a
  question about an invented chat. If it is answered, the suspects have failed and the run goes on.
  If not, the run stops.

A chat that always fails is therefore given up after its tries and blocks no other chat. An outage
or a wrong setting uses up no try: suspects and unreached chats stay due.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Generic, TypeVar

import structlog

from app.clients.deepseek import (
    DeepSeekAccessError,
    DeepSeekCostlyError,
    DeepSeekError,
    DeepSeekRateLimitedError,
    DeepSeekRequestError,
    DeepSeekUnavailableError,
    Usage,
)
from app.database.engine import Database
from app.domain.listing import Listing
from app.domain.messages import ChatMessage
from app.domain.outcomes import Cause
from app.errors import AppError
from app.services.analysis.budget import BudgetSpentError, DailyBudget
from app.services.analysis.causes import find_cause, make_stop_problem
from app.services.analysis.exchange import Exchange
from app.services.analysis.grader import Grader, Grading, UngradedError
from app.services.analysis.paid_work import PaidWork
from app.services.analysis.worker_pool import WorkersUnavailableError
from app.services.problems import Problem
from app.services.run_params import RunParams
from app.services.runs import RunContext

log = structlog.get_logger(__name__)

T = TypeVar("T")

SUSPECTS = 5
"""Suspects that are collected before a probe; at the end of a run one is enough."""
READ_AHEAD = 50
"""The largest number of chats queued in memory."""


@dataclass(frozen=True)
class GradingCase(Generic[T]):
    """A window to be graded, names known from its chat, and the caller's ``subject``.

    ``earlier``: messages of the episode before the window. ``graded_at``: the moment at which the
    chat is judged. ``listing``: what the chat is about. ``is_repeated``: it is graded twice, to
    measure the model's steadiness.
    """

    subject: T
    window: Sequence[ChatMessage]
    names: Sequence[str]
    earlier: int
    graded_at: datetime
    listing: Listing | None = None
    is_repeated: bool = False


@dataclass(frozen=True)
class Failure:
    """Why a case failed, and what the model answered."""

    cause: Cause
    exchanges: tuple[Exchange, ...] = ()


Done = Callable[[GradingCase[T], Grading | Failure], Awaitable[None]]
"""Called with each case that was graded or failed."""


async def _do_not_wait() -> None:
    """Return at once."""


class GradingPool(Generic[T]):
    """Grades the cases of one run, ``workers`` at a time, within the daily budget.

    A case is started only after ``ready`` has returned.
    """

    def __init__(
        self,
        database: Database,
        grader: Grader,
        budget: DailyBudget,
        *,
        run: RunContext[RunParams],
        paid: PaidWork,
        done: Done[T],
        ready: Callable[[], Awaitable[None]] = _do_not_wait,
    ) -> None:
        self._database = database
        self._grader = grader
        self._budget = budget
        self._run = run
        self._paid = paid
        self._done = done
        self._ready = ready
        self._suspects: list[tuple[GradingCase[T], Failure]] = []
        self._probing = asyncio.Lock()
        self.stopped_by: Cause | None = None
        """Why cases were left ungraded."""
        self.access_lost = False
        self.cut_short = False
        """Cases are left because the process is stopping.

        The worker that claims the run next grades them.
        """

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Why cases were left ungraded, as problems of the run."""
        return (make_stop_problem(self.stopped_by),) if self.stopped_by else ()

    def stop(self, cause: Cause) -> None:
        """Finish the cases in progress and start no more."""
        self.stopped_by = self.stopped_by or cause

    async def grade_all(self, cases: AsyncIterator[GradingCase[T]], workers: int) -> None:
        """Grade cases until none is left, something stops the run, or the process is stopping."""
        # No more than the workers take next: other processes can grade the rest.
        queue: asyncio.Queue[GradingCase[T] | None] = asyncio.Queue(min(workers, READ_AHEAD))
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(self._work(queue))
            async with aclosing(cases):  # type: ignore[type-var]
                async for case in cases:
                    await queue.put(case)
                    if self.stopped_by is not None or self._run.stopping.is_set():
                        break
            for _ in range(workers):
                await queue.put(None)
        await self._probe_suspects(at_least=1)

    async def _work(self, queue: asyncio.Queue[GradingCase[T] | None]) -> None:
        while (case := await queue.get()) is not None:
            await self._ready()
            if self.stopped_by is not None:
                continue  # discard the rest of the queue
            if self._run.stopping.is_set() or not self._run.lease.held:
                self.cut_short = True
            else:
                await self._grade(case)

    async def _grade(self, case: GradingCase[T]) -> None:
        try:
            grade = self._grade_twice if case.is_repeated else self._grade_within_budget
            grading = await grade(case)
        except BudgetSpentError as error:
            self.stop(find_cause(error))
        except (DeepSeekAccessError, WorkersUnavailableError) as error:
            self._lose_access(error)
        except (
            DeepSeekUnavailableError,
            DeepSeekRateLimitedError,
            DeepSeekRequestError,
            DeepSeekCostlyError,
        ) as error:
            self._suspects.append((case, Failure(find_cause(error), tuple(error.exchanges))))
            await self._probe_suspects(at_least=SUSPECTS)
        except (DeepSeekError, UngradedError) as error:
            await self._done(case, Failure(find_cause(error), tuple(error.exchanges)))
        else:
            await self._done(case, grading)
            self._budget.note_written(grading.cost_usd or Decimal(0))
            await self._fail_suspects()

    async def _grade_within_budget(self, case: GradingCase[T]) -> Grading:
        async with self._budget.spend(self._grader.most_usd(case.window)) as expense:
            try:
                grading = await self._grader.grade(
                    case.window,
                    names=case.names,
                    earlier=case.earlier,
                    graded_at=case.graded_at,
                    listing=case.listing,
                    most_usd=expense.most,
                )
            except (DeepSeekError, UngradedError) as error:
                await self._book_loss(error.usage)
                raise
            expense.paid = grading.cost_usd or Decimal(0)
            return grading

    async def _grade_twice(self, case: GradingCase[T]) -> Grading:
        """Grade the case twice at the same time; the second grading may be missing.

        One after the other, a stop of the process would more often lose the first one, which is
        already billed.
        """
        repeat = asyncio.create_task(self._repeat(case))
        stopping = asyncio.create_task(self._run.stopping.wait())
        try:
            grading = await self._grade_within_budget(case)
            await asyncio.wait({repeat, stopping}, return_when=asyncio.FIRST_COMPLETED)
            second = repeat.result() if repeat.done() else None
            return grading.with_repeat(second) if second else grading
        finally:
            for task in (repeat, stopping):
                task.cancel()
            await asyncio.gather(repeat, stopping, return_exceptions=True)

    async def _repeat(self, case: GradingCase[T]) -> Grading | None:
        """Return a second grading; None if it fails, which is no failure of the chat."""
        try:
            return await self._grade_within_budget(case)
        except (BudgetSpentError, DeepSeekError, UngradedError, WorkersUnavailableError) as error:
            log.info("analyze.not_repeated", run=self._run.id, error=error.message)
            return None

    async def _probe_suspects(self, *, at_least: int) -> None:
        """Probe the model if there are ``at_least`` suspects. A success meanwhile decides too."""
        async with self._probing:
            if self.access_lost or len(self._suspects) < at_least:
                return
            if self._run.stopping.is_set():
                self.cut_short = True
                return
            try:
                await self._probe()
            except BudgetSpentError as error:  # undecided: the suspects stay due
                self.stop(find_cause(error))
            except DeepSeekError as error:
                if self._suspects:
                    self._lose_access(error)
            else:
                await self._fail_suspects()

    async def _probe(self) -> None:
        async with self._budget.spend(self._grader.most_usd(())):
            try:
                usage = await self._grader.probe()
            except DeepSeekError as error:
                await self._book_loss(error.usage)
                raise
            await self._book_loss(usage)

    async def _book_loss(self, usage: Usage) -> None:
        """Record money that was billed without a grading."""
        usd = self._grader.cost_usd(usage) or Decimal(0)
        self._budget.note_loss(usd)
        self._paid.lose(self._run.id, usd)
        await self._paid.book(self._database)

    async def _fail_suspects(self) -> None:
        while self._suspects and not self.access_lost:
            await self._done(*self._suspects.pop())

    def _lose_access(self, error: AppError) -> None:
        self.access_lost, self.stopped_by = True, find_cause(error)
