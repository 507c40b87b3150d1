"""The requests to the model that this process may have in flight, as a part of the service's."""

import uuid

from app.clients.limiter import AdaptiveLimiter


class RequestShares:
    """The shares of this process's parts in DEEPSEEK_MAX_CONCURRENCY.

    A process has two parts while it ends one and begins another. The limiter allows their sum.
    Without a part it allows what it allowed at the start.
    """

    def __init__(self, limiter: AdaptiveLimiter) -> None:
        self._limiter = limiter
        self._alone = limiter.allowed
        self._held: dict[uuid.UUID, int] = {}
        self._allowed: dict[uuid.UUID, int] = {}

    def get(self, token: uuid.UUID) -> int:
        """Return how many requests of a part may be in flight."""
        return self._held.get(token, 0)

    async def begin(self, token: uuid.UUID) -> None:
        """Let a part begin no request until it gets a share."""
        await self._allow(token, 0)

    async def lower(self, token: uuid.UUID, wanted: int) -> int:
        """Let a part begin requests up to ``wanted`` only, and return how many it still holds.

        It holds more than ``wanted`` until so many of its requests have ended.
        """
        await self._allow(token, wanted)
        unused = max(0, sum(self._held.values()) - self._limiter.in_flight)
        self._held[token] = max(wanted, self.get(token) - unused)
        return self._held[token]

    async def enlarge(self, token: uuid.UUID, share: int) -> None:
        """Give a part more requests, which the other processes do not hold."""
        self._held[token] = share
        await self._allow(token, share)

    async def drop(self, token: uuid.UUID) -> None:
        """Remove a part."""
        self._held.pop(token, None)
        self._allowed.pop(token, None)
        await self._limiter.resize(sum(self._allowed.values()) if self._allowed else self._alone)

    async def _allow(self, token: uuid.UUID, requests: int) -> None:
        self._allowed[token] = requests
        await self._limiter.resize(sum(self._allowed.values()))
