"""Liveness of a process in the database.

It distinguishes a process that waits for a mail server's reply from one that has died. While at
least one attempt is past its final dot, the process keeps one connection open, without a
transaction. Postgres drops the connection's backend as soon as the process ends, and keeps it while
the process is merely frozen.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.database.engine import Database
from app.errors import DatabaseUnavailableError
from app.repositories import delivery_claims

_MIN_CONNECTIONS = 3
"""In a smaller pool the work itself needs the connection."""


class Presence:
    """The connection of one process, opened by the first holder and closed by the last."""

    def __init__(self) -> None:
        self._holders = 0
        self._left = asyncio.Event()
        self._opened: asyncio.Future[str | None] | None = None
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def hold(self, database: Database) -> AsyncIterator[str | None]:
        """Yield the name of the backend that lives as long as this process.

        None means that there is no connection; it does not mean that the process is dead.
        """
        self._holders += 1
        try:
            if self._opened is None:
                self._left = asyncio.Event()
                self._opened = asyncio.get_running_loop().create_future()
                self._task = asyncio.create_task(self._keep(database, self._opened, self._left))
            yield await asyncio.shield(self._opened)
        finally:
            self._holders -= 1
            if not self._holders:
                self._left.set()
                self._opened = None

    async def _keep(
        self, database: Database, opened: "asyncio.Future[str | None]", left: asyncio.Event
    ) -> None:
        try:
            if database.pool_size < _MIN_CONNECTIONS:
                return
            async with database.session() as session:
                backend = await delivery_claims.get_backend_name(session)
                await session.rollback()
                if not opened.done():
                    opened.set_result(backend)
                await left.wait()
        except DatabaseUnavailableError:
            return
        finally:
            if not opened.done():
                opened.set_result(None)
