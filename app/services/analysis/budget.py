"""The daily budget of the model.

Money is reserved before a chat is sent to the model, so the limit is never exceeded.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import Clock, day_bounds, local_date
from app.database.engine import Database
from app.errors import AppError
from app.repositories import reports, runs
from app.russian_text import dollars
from app.services.analysis.paid_work import PaidWork
from app.services.analysis.part import Balance, GradingPart

_CHATS_AHEAD = 16
"""Chats for which money is reserved at once while much of the budget is left."""
_LOOK_SECONDS = 0.5
"""Interval between two looks at what the other processes have released."""


class BudgetSpentError(AppError):
    """The rest of the day's budget does not cover one more chat."""


@dataclass
class Expense:
    """The money of one chat: its limit ``most`` (None: no limit) and its actual cost."""

    most: Decimal | None
    paid: Decimal = Decimal(0)


class DailyBudget:
    """US dollars for one calendar day of the report's zone, for all processes of the service.

    The limit applies to the day's cost in the database and the reservations of the live parts. A
    part reserves what its chats in flight may cost and what it has paid and not written yet.
    """

    def __init__(
        self, limit: Decimal | None, zone: ZoneInfo, clock: Clock, paid: PaidWork, part: GradingPart
    ) -> None:
        """``limit``: None: no limit."""
        self._limit = limit
        self._zone = zone
        self._clock = clock
        self._paid = paid
        self._part = part
        self._in_flight = Decimal(0)
        self._in_hand = Decimal(0)  # of gradings that are neither kept nor written yet
        self._billed = Decimal(0)
        self._granted = Decimal(0)
        self._written_at_grant = self._sum_written()
        self._asking = asyncio.Lock()
        self._released = asyncio.Event()
        if limit is not None:
            part.trim = self._trim

    @property
    def limit(self) -> Decimal:
        """US dollars of one day."""
        assert self._limit is not None  # noqa: S101 - nothing is reserved without a limit
        return self._limit

    async def sum_spent(self, session: AsyncSession) -> Decimal:
        """Return the day's cost in the database."""
        return await _sum_spent(session, local_date(self._clock(), self._zone), self._zone)

    @asynccontextmanager
    async def spend(self, most: Decimal) -> AsyncIterator[Expense]:
        """Reserve ``most``; wait while reservations of chats in flight may be released.

        The caller calls ``note_written`` when it has kept or written what it has paid.

        Raises:
            BudgetSpentError: the rest of the budget does not suffice and no chat is in flight.
        """
        expense = Expense(None if self._limit is None else most)
        async with self._asking:
            if self._limit is not None:
                await self._reserve(most)
            self._in_flight += most
        try:
            yield expense
        finally:
            self._in_flight -= most
            self._in_hand += expense.paid
            self._billed += expense.paid
            self._released.set()

    def note_written(self, usd: Decimal) -> None:
        """Note that this cost is kept or written: the paid work or the database counts it."""
        self._in_hand -= usd

    def note_loss(self, usd: Decimal) -> None:
        """Note a cost without a grading, which the paid work counts."""
        self._billed += usd

    def _sum_exposure(self) -> Decimal:
        """Return what may have been spent and is not in the database."""
        return self._in_flight + self._in_hand + self._paid.unbooked_usd

    def _sum_written(self) -> Decimal:
        """Return the cost that this part has written to the database, up to a constant."""
        return self._billed - self._in_hand - self._paid.unbooked_usd

    def _count_granted(self) -> Decimal:
        """Return the granted dollars without those that are in the database meanwhile."""
        return self._granted - (self._sum_written() - self._written_at_grant)

    def _grant(self, usd: Decimal, written: Decimal) -> None:
        self._granted, self._written_at_grant = usd, written

    def _trim(self) -> Decimal:
        self._grant(min(self._count_granted(), self._sum_exposure()), self._sum_written())
        return self._granted

    async def _reserve(self, most: Decimal) -> None:
        while (needed := self._sum_exposure() + most) > self._count_granted():
            self._released.clear()
            written = self._sum_written()
            balance = await self._part.reserve(needed, _CHATS_AHEAD * most, self)
            if balance.granted is not None:
                self._grant(balance.granted, written)
                return
            if not self._in_flight and not balance.reserved_by_others:
                raise BudgetSpentError(self._describe_spent(balance, most))
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._released.wait()

    def _describe_spent(self, balance: Balance, most: Decimal) -> str:
        spent = balance.spent + self._sum_exposure()
        return (
            "остатка дневного бюджета DeepSeek не хватает ещё на один чат (бюджет"
            f" {dollars(self.limit)}, сегодня потрачено {dollars(spent)}, чат может стоить до"
            f" {dollars(most)})"
        )


async def sum_spent(database: Database, day: date, zone: ZoneInfo) -> Decimal:
    """Return a day's cost in US dollars, including money billed without a grading."""
    async with database.session() as session:
        return await _sum_spent(session, day, zone)


async def _sum_spent(session: AsyncSession, day: date, zone: ZoneInfo) -> Decimal:
    start, end = day_bounds(day, day, zone)
    return await reports.sum_cost(session, start, end) + await runs.sum_lost_cost(
        session, start, end
    )
