"""The part of this process in a grading run: its lease, its share of the limits and its counts.

See decision 0019. The process that has claimed the run is its holder, the others are helpers.
"""

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import NamedTuple, Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.database.engine import Database
from app.domain.outcomes import Outcome
from app.errors import DatabaseUnavailableError
from app.repositories import run_parts
from app.repositories.run_parts import Part
from app.services.analysis.request_shares import RequestShares
from app.services.run_params import RunParams
from app.services.runs import RunContext

log = structlog.get_logger(__name__)

_RENEWAL_SECONDS = 1.0
_DATABASE_SECONDS = 10.0
_LAST_WRITE_SECONDS = 2.0
LOOK_SECONDS = 0.3
"""Interval between two polls of the helpers for whose chats the holder waits."""


class Budget(Protocol):
    """The daily budget of the service."""

    @property
    def limit(self) -> Decimal:
        """US dollars of one day."""

    async def sum_spent(self, session: AsyncSession) -> Decimal:
        """Return the day's cost in the database."""


class Balance(NamedTuple):
    """The day's cost in the database, the others' reservations, and what this part has now.

    ``granted``: None: too little of the budget is left.
    """

    spent: Decimal
    reserved_by_others: Decimal
    granted: Decimal | None


def _reserve_nothing() -> Decimal:
    return Decimal(0)


class GradingPart:
    """One process's part in a run.

    - ``limit``: requests that the parts of all processes may have in flight together.
    - ``holder``: the token of the run; a helper's ``run`` has a token of its own.
    """

    def __init__(
        self,
        database: Database,
        run: RunContext[RunParams],
        requests: RequestShares,
        *,
        limit: int,
        holder: uuid.UUID,
    ) -> None:
        self._database = database
        self._run = run
        self._requests = requests
        self._limit = limit
        self._holder = holder
        self._writing = asyncio.Lock()
        self.written = Counter[Outcome]()
        """The chats that this process has handled."""
        self.helped = Counter[Outcome]()
        """The chats that the helpers of this process have handled."""
        self.trim: Callable[[], Decimal] = _reserve_nothing
        """Gives back the dollars that are not needed and returns the others; set by the budget."""

    @property
    def is_helper(self) -> bool:
        """Whether another process has claimed the run."""
        return self._run.token != self._holder

    @asynccontextmanager
    async def hold(self, *, is_open: bool = False) -> AsyncIterator[None]:
        """Have the part while the context is open. ``is_open``: other processes may join.

        If the run has been closed for helpers in the meantime, the run of this context is stopping.
        """
        async with self._database.transaction() as session:
            is_begun = await run_parts.begin(session, self._run.id, self._run.token, self._holder)
            if is_open and not self.is_helper:
                await run_parts.open_run(session, self._run.id, self._run.token)
        if not is_begun:
            self._run.stopping.set()
            yield
            return
        await self._requests.begin(self._run.token)
        renewing = asyncio.create_task(self._renew_forever(), name="part")
        try:
            await self._renew()
            yield
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            await self._leave()

    async def close(self) -> None:
        """Let no other process join."""
        async with self._database.transaction() as session:
            await run_parts.close_run(session, self._run.id, self._run.token)

    async def has_helpers(self) -> bool:
        """Return whether another part is live: its chats are being graded."""
        async with self._database.session() as session:
            parts = await run_parts.list_parts(session)
        self.helped = self._sum_helped(parts)
        return any(part.is_live for part in self._list_others(parts))

    async def wait_helpers(self) -> None:
        """Wait until no other part is live, and read what they have done."""
        while await self.has_helpers():  # noqa: ASYNC110 - they end in other processes
            await asyncio.sleep(LOOK_SECONDS)

    async def reserve(self, needed: Decimal, extra: Decimal, budget: "Budget") -> "Balance":
        """Reserve ``needed`` dollars of the budget in all for this part, if they are left.

        ``extra`` dollars more are reserved if much more is left.
        """
        async with self._writing:
            granted = None
            async with self._database.transaction() as session:
                await run_parts.lock_parts(session)
                others = self._list_others(await run_parts.list_parts(session))
                # Read it after the reservations: a part writes what it has paid, then releases it.
                spent = await budget.sum_spent(session)
                reserved = sum((part.reserved_usd for part in others if part.is_live), Decimal(0))
                left = budget.limit - spent - reserved
                if needed <= left:
                    granted = needed + (extra if left > 4 * (needed + extra) else 0)
                    await run_parts.reserve(session, self._run.token, granted)
            return Balance(spent, reserved, granted)

    def _list_others(self, parts: Sequence[Part]) -> list[Part]:
        return [part for part in parts if part.token != self._run.token]

    def _sum_helped(self, parts: Sequence[Part]) -> Counter[Outcome]:
        mine = (part for part in self._list_others(parts) if part.holder == self._run.token)
        return sum((part.written for part in mine), Counter[Outcome]())

    async def _renew_forever(self) -> None:
        """Renew the lease until the part ends; a helper that is not needed begins nothing more."""
        while True:
            await asyncio.sleep(_RENEWAL_SECONDS)
            try:
                async with asyncio.timeout(_DATABASE_SECONDS):
                    await self._renew()
            except (DatabaseUnavailableError, TimeoutError) as error:
                log.warning("part.not_renewed", run=self._run.id, error=str(error) or "timeout")

    async def _renew(self) -> None:
        async with self._writing:
            asked_at = time.monotonic()
            reserved_usd = self.trim()
            async with self._database.transaction() as session:
                await run_parts.lock_parts(session)
                parts = await run_parts.list_parts(session)
                requests = await self._find_share([part for part in parts if part.is_live])
                await run_parts.renew(
                    session,
                    self._run.token,
                    requests=requests,
                    reserved_usd=reserved_usd,
                    written=self.written,
                )
            if requests > self._requests.get(self._run.token):
                await self._requests.enlarge(self._run.token, requests)
        self.helped = self._sum_helped(parts)
        if self.is_helper:
            self._run.lease.renew(asked_at)
            if not any(part.token == self._holder and part.is_live for part in parts):
                self._run.stopping.set()

    async def _find_share(self, parts: Sequence[Part]) -> int:
        """Return this part's share of the limit: an equal one, as far as the others leave it."""
        tokens = [part.token for part in parts]
        if self._run.token not in tokens:  # the lease has expired
            tokens.append(self._run.token)
        share, rest = divmod(self._limit, len(tokens))
        share += tokens.index(self._run.token) < rest
        held = self._requests.get(self._run.token)
        if share <= held:
            return await self._requests.lower(self._run.token, share)
        free = self._limit - sum(part.requests for part in self._list_others(parts))
        return max(min(share, free), held)

    async def _leave(self) -> None:
        """End the part. If that cannot be written, its lease expires."""
        try:
            async with (
                asyncio.timeout(_LAST_WRITE_SECONDS),
                self._database.transaction() as session,
            ):
                await run_parts.end(session, self._run.token, self.written)
                await run_parts.close_run(session, self._run.id, self._run.token)
        except (DatabaseUnavailableError, TimeoutError) as error:
            log.warning("part.end_not_written", run=self._run.id, error=str(error) or "timeout")
        finally:
            await self._requests.drop(self._run.token)
