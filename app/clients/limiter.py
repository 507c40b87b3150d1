"""Limits of requests to an external system: concurrent requests and requests a minute."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from aiolimiter import AsyncLimiter

from app.clients.retry import RateLimitedError

_SUCCESSES_FOR_ONE_MORE = 10


class AdaptiveLimiter:
    """Limit of concurrent requests that adapts to the external system.

    A refusal (429) halves it; ten successes raise it by one.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._allowed = limit
        self._slots = asyncio.Semaphore(limit)
        self._overdrawn = 0  # slots in use above the limit: their return admits no request
        self._cuts = 0
        self._successes = 0

    @property
    def allowed(self) -> int:
        """Current limit of concurrent requests."""
        return self._allowed

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold a slot for one request; a ``RateLimitedError`` inside lowers the limit."""
        await self._slots.acquire()
        cuts_before = self._cuts
        try:
            yield
            self._count_success()
        except RateLimitedError:
            # Requests sent before the last cut do not count: a burst of refusals is one refusal.
            if self._cuts == cuts_before:
                await self._halve()
            raise
        finally:
            self._release()

    async def _halve(self) -> None:
        fewer = max(1, self._allowed // 2)
        for _ in range(self._allowed - fewer):
            if self._slots.locked():
                self._overdrawn += 1
            else:
                await self._slots.acquire()  # free, so this does not wait
        self._allowed = fewer
        self._cuts += 1
        self._successes = 0

    def _count_success(self) -> None:
        self._successes += 1
        if self._successes >= _SUCCESSES_FOR_ONE_MORE and self._allowed < self._limit:
            self._successes = 0
            self._allowed += 1
            self._release()

    def _release(self) -> None:
        if self._overdrawn:
            self._overdrawn -= 1
        else:
            self._slots.release()


def limit_per_minute(requests: int) -> AbstractAsyncContextManager[None]:
    """Return a context manager that admits at most ``requests`` a minute (0: no limit).

    It admits a tenth of them at once and the rest evenly. A leaky bucket with the size of a whole
    minute would admit twice the limit in its first minute.
    """
    if not requests:
        return nullcontext()
    burst = max(1, requests // 10)
    evenly = max(1, requests - burst)
    return AsyncLimiter(burst, 60 * burst / evenly)
