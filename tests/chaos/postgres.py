"""A world's Postgres: its addresses, direct queries of the bench, and its faults."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import psutil  # type: ignore[import-untyped]
from sqlalchemy import URL, make_url

from app.database.cluster import PORT
from app.database.embedded import embedded_postgres
from tests.support.clusters import get_postmaster, kill_all, list_servers

_ROLE = _DATABASE = "chaos"
_PASSWORD = "chaos"
OUTAGE_ERRORS = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""Errors of a query during a fault."""


@dataclass(frozen=True)
class Postgres:
    """One database.

    ``folder`` is the data folder of the world's own cluster. It is None for a shared cluster, which
    gets no faults.
    """

    url: URL
    folder: Path | None = None
    role: str = ""

    @property
    def socket(self) -> str:
        """The Unix socket of the server."""
        return f"{self.url.query['host']}/.s.PGSQL.{PORT}"

    def url_at(self, port: int) -> str:
        """Return the address for a replica whose proxy has this port."""
        user = {"username": _ROLE, "password": _PASSWORD} if self.role else {}
        return self.url.set(
            drivername="postgresql", host="127.0.0.1", port=port, query={}, **user
        ).render_as_string(hide_password=False)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[asyncpg.Connection]:
        """Open a connection of the bench that bypasses all proxies."""
        connection = await asyncpg.connect(
            user=self.url.username,
            password=self.url.password,
            database=self.url.database,
            host=str(self.url.query["host"]),
            timeout=5,
            command_timeout=20,
        )
        try:
            yield connection
        finally:
            with suppress(*OUTAGE_ERRORS):
                await connection.close(timeout=2)

    async def rows(self, sql: str, *values: Any) -> list[asyncpg.Record]:
        """Fetch rows."""
        async with self.connected() as connection:
            return list(await connection.fetch(sql, *values))

    async def execute(self, *statements: str) -> None:
        """Execute statements outside the service."""
        async with self.connected() as connection:
            for statement in statements:
                await connection.execute(statement)


@asynccontextmanager
async def own_postgres(folder: Path) -> AsyncIterator[Postgres]:
    """Start a cluster of the world's own, with a role without rights beyond its database.

    It does not survive a crash of the machine, but commits survive a crash of the server.
    """
    async with embedded_postgres(folder, durable=False) as address:
        admin = Postgres(make_url(address), folder)
        await admin.execute(
            f"CREATE ROLE {_ROLE} LOGIN PASSWORD '{_PASSWORD}'",
            f"CREATE DATABASE {_DATABASE} OWNER {_ROLE}",
            f"ALTER DATABASE {_DATABASE} SET synchronous_commit = on",
            f"ALTER ROLE {admin.url.username} SET default_transaction_read_only = off",
        )
        try:
            yield Postgres(admin.url.set(database=_DATABASE), folder, _ROLE)
        finally:
            thaw(folder)


def crash(folder: Path) -> None:
    """Kill all processes of the server with SIGKILL; the embedded server's keeper restarts it."""
    kill_all(folder)


def kill_backend(folder: Path, rng: random.Random) -> None:
    """Kill one backend with SIGKILL: the server ends all others and recovers."""
    backends = [
        process for process in list_servers(folder) if f" {_DATABASE} " in _get_title(process)
    ]
    if backends:
        with suppress(psutil.NoSuchProcess):
            rng.choice(backends).kill()


def freeze(folder: Path) -> None:
    """Stop all processes of the server with SIGSTOP, as a paused container."""
    for process in [get_postmaster(folder), *list_servers(folder)]:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGSTOP)


def thaw(folder: Path) -> None:
    """Undo ``freeze``; harmless without one."""
    for process in list_servers(folder):
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGCONT)


@asynccontextmanager
async def make_read_only(database: Postgres) -> AsyncIterator[None]:
    """Make all transactions of the service read-only, as after a failover to a replica."""
    await database.execute(
        f"ALTER ROLE {database.role} SET default_transaction_read_only = on",
        _end_sessions(database.role),
    )
    try:
        yield
    finally:
        await _retry(
            lambda: database.execute(
                f"ALTER ROLE {database.role} RESET default_transaction_read_only",
                _end_sessions(database.role),
            )
        )


@asynccontextmanager
async def connection_limit(database: Postgres, places: int) -> AsyncIterator[None]:
    """Limit the connections of the service, all replicas together."""
    await database.execute(
        f"ALTER ROLE {database.role} CONNECTION LIMIT {places}", _end_sessions(database.role)
    )
    try:
        yield
    finally:
        await _retry(lambda: database.execute(f"ALTER ROLE {database.role} CONNECTION LIMIT -1"))


async def lock_table(database: Postgres, table: str, seconds: float) -> None:
    """Hold the strongest lock on a table, as a migration or a VACUUM FULL does."""
    with suppress(*OUTAGE_ERRORS):
        async with database.connected() as connection, connection.transaction():
            await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            await asyncio.sleep(seconds)


async def list_lock_holders(database: Postgres) -> set[int]:
    """Return the backends that hold a transaction-level advisory lock."""
    rows = await database.rows("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted")
    return {row["pid"] for row in rows}


def _end_sessions(role: str) -> str:
    return f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'"  # noqa: S608 - own role


async def _retry(work: Callable[[], Any]) -> None:
    """Retry until the server accepts it."""
    while True:
        try:
            await work()
        except OUTAGE_ERRORS:
            await asyncio.sleep(0.5)
        else:
            return


def _get_title(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""
