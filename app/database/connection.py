"""A Postgres connection with limits for statements, locks and a dead network."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database.literals import quote

_CLOSE_SECONDS = 1.0
_TCP_OPTIONS = {
    "TCP_KEEPIDLE": 10,
    "TCP_KEEPALIVE": 10,  # the name of TCP_KEEPIDLE on macOS
    "TCP_KEEPINTVL": 5,
    "TCP_KEEPCNT": 3,
    # Milliseconds, Linux only. Without it the kernel retransmits unacknowledged data for 15
    # minutes.
    "TCP_USER_TIMEOUT": 20_000,
}


@dataclass(frozen=True)
class Limits:
    """Time limits of a transaction, in seconds, enforced by Postgres. 0 means no limit.

    - ``idle``: maximum time between two statements of a transaction. It releases the locks of a
      frozen client.
    - ``margin``: time after ``statement`` within which the server may report the cancellation.
      After that the connection counts as dead.
    """

    statement: float
    lock: float
    idle: float = 30.0
    margin: float = 2.0

    @property
    def answer(self) -> float | None:
        """Client-side timeout of a statement; None means no limit."""
        return self.statement + self.margin if self.statement else None

    @cached_property
    def sql(self) -> str:
        """Statements that set the limits for one transaction."""
        limits = {
            "statement_timeout": self.statement,
            "lock_timeout": self.lock,
            "idle_in_transaction_session_timeout": self.idle,
        }
        return "".join(
            f" SET LOCAL {name} = {seconds * 1000:.0f};" for name, seconds in limits.items()
        )


QUICK = Limits(statement=10, lock=8)
"""For requests of REST clients and for short writes of the worker."""
PATIENT = Limits(statement=45, lock=40)
"""For the steps of a run.

The lock timeout exceeds the time for which Postgres lets a frozen client hold a lock
(``Limits.idle``).
"""
UNLIMITED = Limits(statement=0, lock=0)
"""For migrations. The kernel still detects a dead network, see ``LimitedConnection``."""


class LimitedConnection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """asyncpg connection with limits per transaction and TCP keepalive.

    The limits are sent with BEGIN or COPY and end with the transaction. pgbouncer refuses them as
    startup parameters. As session settings they would stay on a server connection that pgbouncer
    passes to other clients.
    """

    _config: Any

    def __init__(self, protocol: Any, transport: Any, *args: Any) -> None:
        super().__init__(protocol, transport, *args)
        self._limits: Limits | None = None
        self._settings_sql = self._begin_sql = ""

    def configure(self, settings_sql: str, tcp_options: Mapping[str, int] | None) -> None:
        """Set what the address asks for: statements after each BEGIN, and socket options.

        ``tcp_options`` None: no keepalive.
        """
        self._settings_sql = self._begin_sql = settings_sql
        if tcp_options is not None:
            _keep_alive(self._transport.get_extra_info("socket"), _TCP_OPTIONS | dict(tcp_options))

    def set_limits(self, limits: Limits) -> None:
        """Set the limits of all transactions that begin after this call."""
        if limits is self._limits:
            return
        self._limits = limits
        # asyncpg reads its own limit once, at connect time. Its calls accept a ``timeout`` each,
        # which SQLAlchemy does not pass.
        self._config = self._config._replace(command_timeout=limits.answer)
        self._begin_sql = limits.sql + self._settings_sql

    async def execute(self, query: str, *args: Any, **options: Any) -> str:
        """Run a statement. The limits are appended to BEGIN, so they cost no round trip."""
        return str(
            await super().execute(
                query + self._begin_sql if query.startswith("BEGIN") else query, *args, **options
            )
        )

    async def copy(self, query: str) -> list[bytes]:
        """Return the rows of a query in COPY's binary format, in parts of whole rows.

        The limits are in the same message, which is one transaction.
        """
        parts: list[bytes] = []

        async def take(part: bytes) -> None:
            parts.append(bytes(part))

        statement = f"{self._begin_sql}COPY ({query}) TO STDOUT (FORMAT binary)"
        await self._copy_out(statement, take, None)
        return parts

    async def close_soon(self) -> None:
        """Cancel the running statement and close the connection.

        After ``_CLOSE_SECONDS`` the connection is closed without waiting for the server.
        """
        try:
            await self.close(timeout=_CLOSE_SECONDS)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self.terminate()


def get_driver(connection: AsyncConnection) -> LimitedConnection:
    """Return the driver's connection under an open one of the engine."""
    assert connection.sync_connection is not None  # noqa: S101 - it is open
    driver = connection.sync_connection.connection.driver_connection
    assert isinstance(driver, LimitedConnection)  # noqa: S101 - the class that the engine was given
    return driver


def quote_settings(settings: Mapping[str, str]) -> str:
    """Return statements that set the settings for one transaction."""
    return "".join(
        f" SELECT set_config({quote(name)}, {quote(value)}, true);"
        for name, value in settings.items()
    )


def _keep_alive(connected: socket.socket | None, options: Mapping[str, int]) -> None:
    """Make the kernel close the connection about 25 s after the peer has vanished.

    It applies to idle connections and to connections with data in flight. An option of 0 keeps the
    system's value.
    """
    if connected is None or connected.family not in (socket.AF_INET, socket.AF_INET6):
        return
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in options.items():
        if value and hasattr(socket, name):
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
