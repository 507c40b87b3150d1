"""Limits of requests to an external system: concurrent requests and requests a minute."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from aiolimiter import AsyncLimiter

from app.clients.retry import RateLimitedError

_SUCCESSES_FOR_ONE_MORE = 10
_LONE_TIMEOUTS_OF_OUTAGE = 2


class AdaptiveLimiter:
    """Limit of concurrent requests that adapts to the external system.

    - A refusal (429) halves it; ten successes raise it by one.
    - An error of the kinds ``slow`` (timeouts) sets it to half of the requests in flight.
    - If two requests in a row time out, each alone all the time, concurrency is not the reason. The
      limit returns to its maximum, and timeouts do not lower it again before a success. Otherwise
      an outage would be noticed one request after the other. (One may have waited for what the
      server still does for abandoned requests.)
    """

    def __init__(self, limit: int, *, slow: tuple[type[Exception], ...] = ()) -> None:
        self._limit = limit
        self._adapting: tuple[type[Exception], ...] = (RateLimitedError, *slow)
        self._allowed = limit
        self._slots = asyncio.Semaphore(limit)
        self._in_flight = 0
        self._admitted = 0
        self._overdrawn = 0  # slots in use above the limit: their return admits no request
        self._cuts = 0
        self._successes = 0
        self._lone_timeouts = 0  # since the last success

    @property
    def allowed(self) -> int:
        """Current limit of concurrent requests."""
        return self._allowed

    @property
    def in_flight(self) -> int:
        """Number of requests that hold a slot."""
        return self._in_flight

    async def resize(self, limit: int) -> None:
        """Change the maximum. Requests in flight above it go on, and no more begin until they end.

        A limit that has adapted to the external system stays as it is if it is lower.
        """
        is_full, self._limit = self._allowed == self._limit, limit
        if limit < self._allowed:
            await self._lower_to(limit)
        elif is_full:
            self._raise_to(limit)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold a slot for one request; an error that is raised inside may change the limit."""
        await self._slots.acquire()
        self._in_flight += 1
        self._admitted += 1
        cuts_before, number, first = self._cuts, self._admitted, self._in_flight == 1
        try:
            yield
            self._count_success()
        except self._adapting as error:
            # Requests sent before the last cut do not count: a burst of refusals is one refusal.
            if self._cuts == cuts_before:
                await self._adapt(error, alone=first and self._admitted == number)
            raise
        finally:
            self._in_flight -= 1
            self._release()

    async def _adapt(self, error: Exception, *, alone: bool) -> None:
        if isinstance(error, RateLimitedError):
            await self._cut(self._allowed // 2)
        elif alone:
            self._lone_timeouts += 1
            if self._lone_timeouts == _LONE_TIMEOUTS_OF_OUTAGE:
                self._raise_to(self._limit)
        elif self._lone_timeouts < _LONE_TIMEOUTS_OF_OUTAGE:
            await self._cut(self._in_flight // 2)

    async def _cut(self, allowed: int) -> None:
        await self._lower_to(min(max(1, allowed), self._allowed))
        self._cuts += 1
        self._successes = 0

    async def _lower_to(self, allowed: int) -> None:
        for _ in range(self._allowed - allowed):
            if self._slots.locked():
                self._overdrawn += 1
            else:
                await self._slots.acquire()  # free, so this does not wait
        self._allowed = allowed

    def _count_success(self) -> None:
        self._lone_timeouts = 0
        self._successes += 1
        if self._successes >= _SUCCESSES_FOR_ONE_MORE:
            self._successes = 0
            self._raise_to(min(self._allowed + 1, self._limit))

    def _raise_to(self, allowed: int) -> None:
        for _ in range(allowed - self._allowed):
            self._release()
        self._allowed = allowed

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


MakePace = Callable[[str, int], AbstractAsyncContextManager[None]]
"""Returns the pace of the requests with this name, at most so many a minute (0: no limit)."""


def make_own_pace(_: str, requests: int) -> AbstractAsyncContextManager[None]:
    """Return a pace for this client alone: for a command that sends a few requests."""
    return limit_per_minute(requests)
