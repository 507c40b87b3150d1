"""Requests per minute to an external system, by all processes of the service together."""

import asyncio
import time
from collections import deque
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import timedelta
from types import TracebackType

from app.database.engine import Database
from app.repositories import request_paces

_BATCH_SECONDS = 1.0
"""Moments of this time are reserved at once, and unused ones are dropped after it."""


class SharedPace:
    """Context manager that admits at most ``requests`` a minute in all processes together.

    A tenth of them is admitted at once and the rest evenly, as by ``limit_per_minute``. Entering
    raises ``DatabaseUnavailableError`` if no moment can be reserved: then no request may be sent.
    """

    def __init__(self, database: Database, name: str, requests: int) -> None:
        self._database = database
        self._name = name
        self._burst = max(1, requests // 10)
        # A reserved moment is used up to a second later, which must not add to any minute.
        self._interval = (60 + _BATCH_SECONDS) / max(1, requests - self._burst)
        self._batch = max(1, int(_BATCH_SECONDS / self._interval))
        self._moments: deque[float] = deque()
        self._reserving = asyncio.Lock()

    async def __aenter__(self) -> None:
        await asyncio.sleep(await self._take() - time.monotonic())

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Do nothing: a request is counted when it is sent."""

    async def _take(self) -> float:
        """Return the moment of the next request, by the monotonic clock."""
        async with self._reserving:
            while self._moments and self._moments[0] < time.monotonic() - _BATCH_SECONDS:
                self._moments.popleft()
            if not self._moments:
                await self._reserve()
            return self._moments.popleft()

    async def _reserve(self) -> None:
        async with self._database.transaction() as session:
            first = await request_paces.reserve(
                session,
                self._name,
                count=self._batch,
                interval=timedelta(seconds=self._interval),
                burst=self._burst,
            )
        now = time.monotonic()
        # A moment of the past is now: unused ones are dropped by the time of their reservation.
        self._moments.extend(
            max(now, now + first + number * self._interval) for number in range(self._batch)
        )


def share_pace(database: Database, name: str, requests: int) -> AbstractAsyncContextManager[None]:
    """Return the pace of the service for these requests; 0: no limit."""
    return SharedPace(database, name, requests) if requests else nullcontext()
