"""Connection slots of the pool: a fair queue whose size follows the server's limit."""

import asyncio
from collections import deque


class ConnectionSlots:
    """At most ``size`` users at a time, served in order of arrival.

    A server with fewer connections lowers the limit. The limit is then raised by one after each
    ``raise_seconds``, because the server may have free connections again.
    """

    def __init__(self, size: int, *, raise_seconds: float) -> None:
        self._size = self.limit = size
        self._raise_seconds = raise_seconds
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._raising: asyncio.TimerHandle | None = None

    async def acquire(self, *, first: bool = False) -> None:
        """Take a slot.

        ``first``: go ahead of the queue, because this user has waited before.
        """
        if self._taken < self.limit and (first or not self._waiting):
            self._taken += 1
            return
        grant = asyncio.get_running_loop().create_future()
        if first:
            self._waiting.appendleft(grant)
        else:
            self._waiting.append(grant)
        try:
            await grant
        except asyncio.CancelledError:
            if grant.cancelled():
                self._waiting.remove(grant)
            else:  # the slot was granted in the same iteration of the loop
                self.release()
            raise

    def release(self) -> None:
        """Return a slot."""
        self._taken -= 1
        self._grant_slots()

    def lower_limit(self) -> bool:
        """Lower the limit to the slots held by other users; False if there are none."""
        if self._taken < 2:
            return False
        self.limit = self._taken - 1
        if self._raising is None:
            self._raise_later()
        return True

    def _raise_later(self) -> None:
        self._raising = asyncio.get_running_loop().call_later(self._raise_seconds, self._raise)

    def _raise(self) -> None:
        self._raising = None
        self.limit += 1
        if self.limit < self._size:
            self._raise_later()
        self._grant_slots()

    def _grant_slots(self) -> None:
        while self._waiting and self._taken < self.limit:
            grant = self._waiting.popleft()
            if not grant.done():
                self._taken += 1
                grant.set_result(None)
