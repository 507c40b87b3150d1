"""Idle connections of the pool, closed after a timeout.

A service with little traffic thus frees the connections of a small server.
"""

import asyncio
from functools import partial

from app.database.connection import LimitedConnection


class IdleConnections:
    """Idle connections, each with the timer that closes it.

    The pool replaces closed connections when it needs them.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._timers: dict[LimitedConnection, asyncio.TimerHandle] = {}

    def add(self, connection: LimitedConnection) -> None:
        """Start the timer of a connection that is no longer used."""
        if not connection.is_closed():
            self._timers[connection] = asyncio.get_running_loop().call_later(
                self._seconds, partial(self._close, connection)
            )

    def remove(self, connection: LimitedConnection) -> None:
        """Stop the timer of a connection that is in use."""
        if timer := self._timers.pop(connection, None):
            timer.cancel()

    def __len__(self) -> int:
        """Return the number of idle connections."""
        return len(self._timers)

    def close_all(self) -> None:
        """Close all idle connections now."""
        for connection in list(self._timers):
            self._close(connection)

    def _close(self, connection: LimitedConnection) -> None:
        self.remove(connection)
        connection.terminate()
