"""ConnectionSlots in the pool: a fair queue whose size follows what the server allows."""

import asyncio
from collections import deque


class ConnectionSlots:
    """At most ``size`` users at a time, served in the order in which they came.

    A server with fewer connections than that lowers the limit. It is raised again by one at a time,
    as the server may have more now.
    """

    def __init__(self, size: int, *, raise_seconds: float) -> None:
        self._size = self.limit = size
        self._raise_seconds = raise_seconds
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._raising: asyncio.TimerHandle | None = None

    async def take(self, *, first: bool = False) -> None:
        """Take a place. ``first``: ahead of those who wait, because this user has waited before."""
        if self._taken < self.limit and (first or not self._waiting):
            self._taken += 1
            return
        turn = asyncio.get_running_loop().create_future()
        if first:
            self._waiting.appendleft(turn)
        else:
            self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._waiting.remove(turn)
            else:  # the place was given in the same turn of the loop
                self.give_back()
            raise

    def give_back(self) -> None:
        """Return a place."""
        self._taken -= 1
        self._serve()

    def lower(self) -> bool:
        """Lower the limit to the places that others hold now; False where nobody else holds one."""
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
        self._serve()

    def _serve(self) -> None:
        while self._waiting and self._taken < self.limit:
            turn = self._waiting.popleft()
            if not turn.done():
                self._taken += 1
                turn.set_result(None)
