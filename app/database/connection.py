"""One connection to Postgres, on which neither a statement nor a lock nor a dead network is waited
for without end.
"""

import socket
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import asyncpg

_CLOSE_SECONDS = 1.0
_TCP_OPTIONS = {
    "TCP_KEEPIDLE": 10,
    "TCP_KEEPALIVE": 10,  # what macOS calls TCP_KEEPIDLE
    "TCP_KEEPINTVL": 5,
    "TCP_KEEPCNT": 3,
    # milliseconds; Linux only: without it the kernel repeats unacknowledged data for 15 minutes
    "TCP_USER_TIMEOUT": 20_000,
}


@dataclass(frozen=True)
class Limits:
    """Time limits of a transaction, in seconds. Postgres keeps them; 0 is no limit.

    ``idle``: how long the transaction may stay open between two statements. It releases the locks
    of a frozen client. ``margin``: how long after ``statement`` the server may report that it has
    cancelled it. Then the connection counts as dead.
    """

    statement: float
    lock: float
    idle: float = 30.0
    margin: float = 2.0

    @property
    def answer(self) -> float | None:
        """How long the client waits for the answer to a statement; None: without a limit."""
        return self.statement + self.margin if self.statement else None

    @cached_property
    def sql(self) -> str:
        """The statements that set the limits for one transaction."""
        limits = {
            "statement_timeout": self.statement,
            "lock_timeout": self.lock,
            "idle_in_transaction_session_timeout": self.idle,
        }
        return "".join(
            f" SET LOCAL {name} = {seconds * 1000:.0f};" for name, seconds in limits.items()
        )


class LimitedConnection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """asyncpg's connection with limits for each transaction, and a socket on which a dead network
    is noticed.

    The limits travel with BEGIN and end with the transaction. As startup parameters pgbouncer would
    refuse them, and set for the session they would stay on a server connection that pgbouncer hands
    to other clients.
    """

    _config: Any

    def __init__(self, protocol: Any, transport: Any, *args: Any) -> None:
        super().__init__(protocol, transport, *args)
        _keep_alive(transport.get_extra_info("socket"))
        self._limits: Limits | None = None
        self._begin_sql = ""

    def set_limits(self, limits: Limits) -> None:
        """Set the limits of the transactions that begin from now on."""
        if limits is self._limits:
            return
        self._limits = limits
        # asyncpg takes its own limit once, at connect time. Its calls have a ``timeout`` each,
        # which SQLAlchemy does not pass.
        self._config = self._config._replace(command_timeout=limits.answer)
        self._begin_sql = limits.sql

    async def execute(self, query: str, *args: Any, **options: Any) -> str:
        """Run a statement. BEGIN takes the limits along, so they cost no round trip."""
        return str(
            await super().execute(
                query + self._begin_sql if query.startswith("BEGIN") else query, *args, **options
            )
        )

    async def close_soon(self) -> None:
        """Cancel what runs on the server and close the connection: politely for a second, then
        without waiting.
        """
        try:
            await self.close(timeout=_CLOSE_SECONDS)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self.terminate()


def _keep_alive(connected: socket.socket | None) -> None:
    """Have the kernel close the connection about 25 s after the peer has vanished, whether or not
    data is under way.
    """
    if connected is None or connected.family not in (socket.AF_INET, socket.AF_INET6):
        return
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _TCP_OPTIONS.items():
        if hasattr(socket, name):
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
