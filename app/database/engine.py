"""The engine and its sessions: a fixed-size pool with a fair queue and limits for every wait."""

import asyncio
import copy
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

import structlog
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from app.database.address import Host, parse_address
from app.database.connection import PATIENT, QUICK, LimitedConnection, Limits, get_driver
from app.database.connector import Connector
from app.database.error_translator import ErrorTranslator
from app.database.failures import describe_outage, is_out_of_connections
from app.database.idle import IdleConnections
from app.database.slots import ConnectionSlots

log = structlog.get_logger(__name__)

C = TypeVar("C")

POOL_SIZE = 10
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.1, 2.0


class Database:
    """Sessions on one Postgres.

    Each session raises ``DatabaseUnavailableError`` if the server is unreachable, silent or too
    slow.

    The pool never overflows, and waiting tasks are served in order of arrival. With overflow and
    the pool's own queue, the slowest of 32 clients waits many times longer than the typical one.

    - ``setting``: the name of the address in messages.
    - ``ca_file``: trusted certificates, if the address names none.
    - ``slot_seconds``: timeout of the wait for a connection while all are in use.
    - ``idle_seconds``: time after which an unused connection is closed.
    """

    def __init__(
        self,
        url: str,
        *,
        setting: str = "DATABASE_URL",
        ca_file: Path | None = None,
        pool_size: int = POOL_SIZE,
        embedded: bool = False,
        limits: Limits = QUICK,
        patient_limits: Limits = PATIENT,
        connect_seconds: float = 5,
        slot_seconds: float = 30,
        idle_seconds: float = 60,
    ) -> None:
        self._errors = ErrorTranslator(setting, embedded=embedded)
        self._limits, self._patient_limits = limits, patient_limits
        self._slot_seconds = slot_seconds
        self.address, self.ca_file = parse_address(url, setting), ca_file
        pool_size = min(pool_size, self.address.pool_size or pool_size)
        self._connector = Connector(
            self.address,
            setting,
            ca_file=ca_file,
            connect_seconds=connect_seconds,
            answer_seconds=limits.answer,
        )
        self.engine: AsyncEngine = create_async_engine(
            "postgresql+asyncpg://",
            pool_size=pool_size,
            max_overflow=0,
            # With FIFO, little work spread over all connections would keep each of them from being
            # idle.
            pool_use_lifo=True,
            json_serializer=_to_json,
            hide_parameters=True,  # they contain chats, and errors are logged
            connect_args={
                "async_creator_fn": self._connector.connect,
                "prepared_statement_cache_size": 0,
            },
        )
        self._sessions = async_sessionmaker(expire_on_commit=False)
        self._slots = ConnectionSlots(pool_size, raise_seconds=idle_seconds / 4)
        self._idle = IdleConnections(idle_seconds)
        event.listen(self.engine.sync_engine, "checkin", self._mark_idle)
        event.listen(self.engine.sync_engine, "checkout", self._mark_used)

    @property
    def name(self) -> str:
        """The name of the server in messages."""
        return self._errors.name

    @property
    def pool_size(self) -> int:
        """Current maximum number of open connections."""
        return self._slots.limit

    @property
    def host(self) -> Host:
        """The server of the newest connection; the first of the address before there is one."""
        return self._connector.last or self.address.hosts[0]

    async def is_pooled(self) -> bool:
        """Return whether the address leads to a pooler, which keeps no session for a client."""
        with self._errors.translate():
            return await self._connector.is_pooled()

    def with_limits(
        self, limits: Limits | None = None, *, slot_seconds: float | None = None
    ) -> Self:
        """Return this database, with the same pool, with other limits for its sessions."""
        other = copy.copy(self)
        other._limits = limits or self._limits
        other._slot_seconds = self._slot_seconds if slot_seconds is None else slot_seconds
        return other

    def with_patient_limits(self) -> Self:
        """Return this database with the limits for the steps of a run."""
        return self.with_limits(self._patient_limits)

    @asynccontextmanager
    async def session(self, *, within: float | None = None) -> AsyncIterator[AsyncSession]:
        """Open a session that is rolled back unless it is committed.

        Keep it short and never hold it across a network call. ``within`` is a timeout in seconds
        for the whole session, for a caller that needs an answer in any state of the server.
        """
        with self._errors.translate():
            async with asyncio.timeout(within), self._open() as session:
                yield session

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Open a session that commits at the end and rolls back on an error."""
        async with self.session() as session:
            yield session
            await session.commit()

    async def copy(self, query: str) -> list[bytes]:
        """Return the rows of a query in the binary format of COPY, in parts of whole rows.

        It is one message to the server, which is a transaction of its own. The message has the
        limits, as BEGIN of a session has.
        """
        with self._errors.translate():
            connection = await self._connect(self.engine.raw_connection)
            driver = connection.driver_connection
            assert isinstance(driver, LimitedConnection)  # noqa: S101 - as in ``get_driver``
            driver.set_limits(self._limits)
            try:
                return await driver.copy(query)
            except BaseException as error:
                await self._discard_unfit(driver, error)
                raise
            finally:
                connection.close()
                self._slots.release()

    async def close(self) -> None:
        """Close all connections."""
        self._idle.close_all()
        await self.engine.dispose()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[AsyncSession]:
        connection = await self._connect(self.engine.connect)
        driver = get_driver(connection)
        driver.set_limits(self._limits)
        session = self._sessions(bind=connection)
        try:
            yield session
        except BaseException as error:
            await self._discard_unfit(driver, error)
            if driver.is_closed():
                await connection.invalidate()  # otherwise the session would roll back on it
            raise
        finally:
            try:
                await asyncio.shield(asyncio.ensure_future(_close(session, connection)))
            finally:
                self._slots.release()

    async def _connect(self, connect: Callable[[], Awaitable[C]]) -> C:
        """Take a slot of the pool and connect.

        If the server has no free connection, wait until a connection of this pool is returned.
        """
        pause, refusal = _FIRST_PAUSE_SECONDS, ""
        try:
            async with asyncio.timeout(self._slot_seconds) as deadline:
                while True:
                    await self._slots.acquire(first=bool(refusal))
                    try:
                        return await connect()
                    except BaseException as error:
                        refusal = self._release_slot(error)
                        if not refusal:
                            raise
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
        except TimeoutError:
            if not deadline.expired():
                # No connection could be opened in time, so the open ones may be dead too.
                self._idle.close_all()
                raise
            raise self._errors.build_outage(refusal or _POOL_EXHAUSTED) from None

    def _release_slot(self, error: BaseException) -> str:
        """Release the slot after a failed attempt. Return the reason if a retry makes sense."""
        refused = is_out_of_connections(error)
        # A connection that was returned meanwhile serves the next attempt.
        if refused and not self._idle and self._slots.lower_limit():
            log.warning("database.out_of_connections", pool=self._slots.limit)
        self._slots.release()
        return (describe_outage(error) or "") if refused else ""

    async def _discard_unfit(self, driver: LimitedConnection, error: BaseException) -> None:
        """Close a connection whose last statement may still run.

        Do not wait for a dead network.

        If the answer to a statement did not arrive in time, the connection is dead: Postgres would
        have cancelled the statement earlier. The idle connections are then probably dead as well.
        """
        if isinstance(error, asyncio.CancelledError):
            await driver.close_soon()
        elif isinstance(error, TimeoutError):
            driver.terminate()
            self._idle.close_all()
            log.warning("database.connection_dead")

    def _mark_idle(self, connection: DBAPIConnection | None, _: object) -> None:
        if connection is not None:  # None: the pool has closed it
            self._idle.add(connection.driver_connection)

    def _mark_used(self, connection: DBAPIConnection, *_: object) -> None:
        """Make the pool replace a connection that was closed by the server or by this process.

        asyncpg tracks the state of its connection without a query. The pool's own check
        (``pool_pre_ping``) queries the server four times before each session.
        """
        self._idle.remove(connection.driver_connection)
        if connection.driver_connection.is_closed():
            raise DisconnectionError


async def _close(session: AsyncSession, connection: AsyncConnection) -> None:
    try:
        await session.close()
    finally:
        await connection.close()


_POOL_EXHAUSTED = "все соединения заняты; их число задаёт DATABASE_POOL_SIZE"


_to_json = partial(json.dumps, ensure_ascii=False, separators=(",", ":"))
"""JSON serializer: Cyrillic unescaped, no blanks. Callers receive ``json`` values unchanged."""
