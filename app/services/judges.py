"""Several chats before the model at a time, and what costs a chat and what costs the run.

A wrong key or an empty balance stops the run at once; where five chats in a row fail without a success between them, it is not the
chats, and it stops. Anything else costs the one chat. What was not reached keeps waiting.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeVar

from app.clients.deepseek.errors import DeepSeekAccessError, DeepSeekError, DeepSeekRequestError, DeepSeekUnavailableError
from app.database.engine import Database
from app.grading.chat import ChatMessage
from app.repositories import runs
from app.services.budget import BudgetSpentError, DailyBudget
from app.services.grader import Grader, Grading, UngradedError

T = TypeVar("T")

FAILURES_IN_A_ROW = 5
READ_AHEAD = 50
"""Chats that wait in memory for their turn, at most."""


@dataclass(frozen=True)
class Case(Generic[T]):
    """A window that can be graded, the people known from its chat, and what the caller wants to know it by."""

    subject: T
    window: Sequence[ChatMessage]
    names: Sequence[str]


Done = Callable[[Case[T], Grading | str], Awaitable[None]]
"""Told of each case that was judged: its grading, or the Russian sentence of why it failed."""


class Judges(Generic[T]):
    """Grades the cases of one run, ``workers`` at a time, within the day's budget."""

    def __init__(self, database: Database, grader: Grader, budget: DailyBudget, *, run_id: int, done: Done[T]) -> None:
        self._database = database
        self._grader = grader
        self._budget = budget
        self._run_id = run_id
        self._done = done
        self._suspects: list[tuple[Case[T], str]] = []
        self.stopped_by: str | None = None
        """A Russian clause: why cases were left."""
        self.access_lost = False

    def stop(self, reason: str) -> None:
        """Lets the cases under way come to their end and begins no more."""
        self.stopped_by = self.stopped_by or reason

    async def judge_all(self, cases: AsyncIterator[Case[T]], workers: int) -> None:
        """Takes cases, few ahead, until there are no more or something stops the run."""
        queue: asyncio.Queue[Case[T] | None] = asyncio.Queue(maxsize=READ_AHEAD)
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(self._work(queue))
            async with aclosing(cases):  # type: ignore[type-var]
                async for case in cases:
                    await queue.put(case)
                    if self.stopped_by is not None:
                        break
            for _ in range(workers):
                await queue.put(None)
        if not self.access_lost:  # too few to blame anything but the cases
            await self._fail_suspects()

    async def _work(self, queue: asyncio.Queue[Case[T] | None]) -> None:
        while (case := await queue.get()) is not None:
            if self.stopped_by is None:  # else what is still in the queue is left
                await self._judge(case)

    async def _judge(self, case: Case[T]) -> None:
        try:
            grading = await self._within_budget(case)
        except BudgetSpentError as error:
            self.stop(error.message)
        except DeepSeekAccessError as error:
            self._lose_access(error)
        except (DeepSeekUnavailableError, DeepSeekRequestError) as error:
            self._suspect(case, error)
        except (DeepSeekError, UngradedError) as error:
            await self._done(case, error.message)
        else:
            await self._done(case, grading)
            await self._fail_suspects()

    async def _within_budget(self, case: Case[T]) -> Grading:
        async with self._budget.spend(self._grader.most_usd(case.window)) as expense:
            try:
                grading = await self._grader.grade(case.window, names=case.names)
            except (DeepSeekError, UngradedError) as error:
                expense.paid = self._grader.cost_usd(error.usage) or Decimal(0)
                if expense.paid:
                    async with self._database.transaction() as session:
                        await runs.add_lost(session, self._run_id, expense.paid)
                raise
            expense.paid = grading.cost_usd or Decimal(0)
            return grading

    def _suspect(self, case: Case[T], error: DeepSeekError) -> None:
        """A failure that may be the case's or everybody's: the next success tells, or the fifth such failure without one."""
        self._suspects.append((case, error.message))
        if len(self._suspects) >= FAILURES_IN_A_ROW:
            self._lose_access(error)

    async def _fail_suspects(self) -> None:
        while self._suspects:
            await self._done(*self._suspects.pop())

    def _lose_access(self, error: DeepSeekError) -> None:
        self.access_lost, self.stopped_by = True, error.message
