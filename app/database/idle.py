"""Idle connections of the pool: closed when unused for a while, so that a quiet service gives them
back to a small server.
"""

import asyncio
from functools import partial

from app.database.connection import LimitedConnection


class IdleConnections:
    """Each idle connection with the timer that closes it. The pool replaces closed ones when it
    needs them.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._timers: dict[LimitedConnection, asyncio.TimerHandle] = {}

    def add(self, connection: LimitedConnection) -> None:
        """Note that a connection is unused from now on."""
        if not connection.is_closed():
            self._timers[connection] = asyncio.get_running_loop().call_later(
                self._seconds, partial(self._close, connection)
            )

    def remove(self, connection: LimitedConnection) -> None:
        """Note that a connection is in use."""
        if timer := self._timers.pop(connection, None):
            timer.cancel()

    def close_one(self) -> bool:
        """Close one, which makes room for another on the server; False if there is none."""
        if oldest := next(iter(self._timers), None):
            self._close(oldest)
        return oldest is not None

    def close_all(self) -> None:
        """Close all of them now."""
        for connection in list(self._timers):
            self._close(connection)

    def _close(self, connection: LimitedConnection) -> None:
        self.remove(connection)
        connection.terminate()
