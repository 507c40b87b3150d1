"""How much a far end is asked for at a time: requests in flight, which adapt to its refusals, and
requests a minute.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from aiolimiter import AsyncLimiter

from app.clients.retry import RateLimitedError

_SUCCESSES_FOR_ONE_MORE = 10


class AdaptiveLimiter:
    """At most so many requests in flight: half as many after a refusal (429), one more again after
    every ten successes.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._allowed = most
        self._slots = asyncio.Semaphore(most)
        self._overdrawn = 0  # slots still in use that no longer exist: their return frees nobody
        self._cuts = 0
        self._successes = 0

    @property
    def allowed(self) -> int:
        """How many requests may be in flight now."""
        return self._allowed

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Lasts as long as one request; a ``RateLimitedError`` that leaves it makes the limit
        smaller.
        """
        await self._slots.acquire()
        cuts_before = self._cuts
        try:
            yield
            self._count_success()
        except RateLimitedError:
            # What was sent before the last cut says nothing new: a burst of refusals is one
            # refusal.
            if self._cuts == cuts_before:
                await self._cut()
            raise
        finally:
            self._put_back()

    async def _cut(self) -> None:
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
        if self._successes >= _SUCCESSES_FOR_ONE_MORE and self._allowed < self._most:
            self._successes = 0
            self._allowed += 1
            self._put_back()

    def _put_back(self) -> None:
        if self._overdrawn:
            self._overdrawn -= 1
        else:
            self._slots.release()


def per_minute(requests: int) -> AbstractAsyncContextManager[None]:
    """A gate that lets at most so many through in any minute (0: no limit): a tenth of them at
    once, the rest evenly.

    A leaky bucket of the whole minute's size would let twice the limit through in its first minute.
    """
    if not requests:
        return nullcontext()
    burst = max(1, requests // 10)
    evenly = max(1, requests - burst)
    return AsyncLimiter(burst, 60 * burst / evenly)
