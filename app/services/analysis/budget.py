"""The daily budget of the model.

Money is reserved before a chat is sent to the model, so the limit is never exceeded.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from app.clock import Clock, day_bounds, local_date
from app.database.engine import Database
from app.errors import AppError
from app.repositories import reports, runs
from app.russian_text import dollars
from app.services.analysis.paid_work import PaidWork


class BudgetSpentError(AppError):
    """The rest of the day's budget does not cover one more chat."""


@dataclass
class Expense:
    """The money of one chat: its limit ``most`` (None: no limit) and its actual cost."""

    most: Decimal | None
    paid: Decimal = Decimal(0)


class DailyBudget:
    """US dollars for one calendar day of the report's zone; ``limit`` None: no limit.

    The limit applies to the day's cost so far and the reservations of the chats in flight. Each run
    creates its own budget. Only one run of all replicas grades at a time. Its cost is therefore
    complete: the rows in the database at the start of the run, what this process has not written
    yet, and the run's own spending.
    """

    def __init__(
        self,
        database: Database,
        limit: Decimal | None,
        zone: ZoneInfo,
        clock: Clock,
        paid: PaidWork,
    ) -> None:
        self._database = database
        self._paid = paid
        self._limit = limit
        self._zone = zone
        self._clock = clock
        self._day: date | None = None
        self._spent = Decimal(0)
        self._reserved = Decimal(0)
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def spend(self, most: Decimal) -> AsyncIterator[Expense]:
        """Reserve ``most``; wait while reservations of chats in flight may be released.

        Raises:
            BudgetSpentError: the rest of the budget does not suffice and no chat is in flight.
        """
        expense = Expense(None if self._limit is None else most)
        async with self._changed:
            await self._open_day()
            while self._limit is not None and self._spent + self._reserved + most > self._limit:
                if not self._reserved:
                    raise BudgetSpentError(
                        "остатка дневного бюджета DeepSeek не хватает ещё на один чат (бюджет"
                        f" {dollars(self._limit)}, сегодня потрачено {dollars(self._spent)}, чат"
                        f" может стоить до {dollars(most)})"
                    )
                await self._changed.wait()
            self._reserved += most
        try:
            yield expense
        finally:
            async with self._changed:
                self._reserved -= most
                self._spent += expense.paid
                self._changed.notify_all()

    async def _open_day(self) -> None:
        today = local_date(self._clock(), self._zone)
        if self._limit is not None and today != self._day:
            # Read it before the database. Money that is written meanwhile then counts twice; in the
            # other order it would not count at all.
            unbooked = self._paid.unbooked_usd
            self._spent = unbooked + await sum_spent(self._database, today, self._zone)
            self._day = today


async def sum_spent(database: Database, day: date, zone: ZoneInfo) -> Decimal:
    """Return a day's cost in US dollars, including money billed without a grading."""
    start, end = day_bounds(day, day, zone)
    async with database.session() as session:
        return await reports.sum_cost(session, start, end) + await runs.sum_lost(
            session, start, end
        )
