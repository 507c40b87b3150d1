"""The engine and the way to a session: a pool of fixed size with a fair queue before it."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial

import asyncpg
from sqlalchemy import event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from app.errors import DatabaseUnavailableError, SettingsError

POOL_SIZE = 10
_CONNECT_SECONDS = 10


class Database:
    """Sessions on one Postgres. Every one of them raises ``DatabaseUnavailableError`` when the server is away or lets nobody in.

    The pool never overflows and waiting tasks are served in the order in which they came: with an overflow and the pool's own
    queue the slowest of 32 clients waits many times longer than the typical one.
    """

    def __init__(self, url: str, *, pool_size: int = POOL_SIZE, embedded: bool = False) -> None:
        self.name, self._way_out = _EMBEDDED if embedded else _OF_THE_SETTING
        self.engine: AsyncEngine = create_async_engine(
            async_url(url),
            pool_size=pool_size,
            max_overflow=0,
            json_serializer=_to_json,
            hide_parameters=True,  # they hold chats, and errors end in logs
            connect_args={"timeout": _CONNECT_SECONDS},
        )
        event.listen(self.engine.sync_engine, "checkout", _refuse_closed)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self._places = asyncio.Semaphore(pool_size)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """A session whose work is undone unless it is committed; keep it short and never over a network call."""
        with self._away_is_told():
            async with self._places, self._sessions() as session:
                yield session

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session that commits at the end, or undoes everything on an error."""
        with self._away_is_told():
            async with self._places, self._sessions.begin() as session:
                yield session

    async def check(self) -> str:
        """Asks for the server's version.

        Raises:
            DatabaseUnavailableError: nobody answers, or refuses us; the message names the setting.
        """
        async with self.session() as session:
            return str(await session.scalar(text("SHOW server_version")))

    async def close(self) -> None:
        """Closes every connection."""
        await self.engine.dispose()

    @contextmanager
    def _away_is_told(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, PoolTimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            state = getattr(getattr(error, "orig", error), "sqlstate", None) or ""
            at_connection = isinstance(error, OSError | PoolTimeoutError | InterfaceError | asyncpg.InterfaceError)
            if not (at_connection or getattr(error, "connection_invalidated", False) or _AWAY.fullmatch(state)):
                raise
            why = _WHY.get(state[:2], "сервер не отвечает")
            raise DatabaseUnavailableError(f"{self.name} недоступен ({why}); {self._way_out}.") from None


def _refuse_closed(connection: DBAPIConnection, *_: object) -> None:
    """Has the pool replace connections that the server has closed, as a restart does with all of them.

    asyncpg knows of it by itself. The pool's own way to find out (``pool_pre_ping``) asks the server four times before each session.
    """
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError


_OF_THE_SETTING = ("DATABASE_URL: Postgres", "проверьте адрес, имя, пароль и сам сервер")
_EMBEDDED = (
    "Встроенный Postgres",
    "если он остановился, то запускается снова сам: повторите через минуту, подробности в файле postgres.log в DATA_DIR",
)
"""What the server is called, and what to do where it is away."""

# By SQLSTATE: broken connections, read-only after a failover, wrong name or password, no such database, no places, memory or disk
# left, connections not allowed, a server that stops or starts, a failing disk.
_AWAY = re.compile(r"08...|25006|28...|3D000|53...|55000|57P0.|58...")
_WHY = {
    "25": "база открыта только для чтения",
    "28": "неверные имя или пароль",
    "3D": "такой базы нет",
    "53": "не хватает мест, памяти или диска",
    "55": "база не принимает соединений",
    "57": "сервер останавливается или запускается",
    "58": "сбой диска",
}


_to_json = partial(json.dumps, ensure_ascii=False, separators=(",", ":"))
"""What is kept as ``json`` is handed on to callers as it stands: Cyrillic not escaped, no blanks."""


_OPTIONS = frozenset({"host", "port", "ssl", "target_session_attrs", "passfile"})
"""What may stand behind the ``?`` of an address."""
_LIBPQ_ALONE = frozenset({"channel_binding", "connect_timeout", "application_name", "gssencmode"})
"""What providers print there for libpq and asyncpg does not know; nothing is lost without it."""


def async_url(url: str) -> URL:
    """The address for asyncpg, from any usual spelling of a Postgres address.

    Raises:
        SettingsError: it is not one.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # ValueError: the port is not a number
        parsed = None
    if parsed is None or parsed.get_backend_name() not in {"postgresql", "postgres"} or not 0 < (parsed.port or 5432) < 65536:
        raise SettingsError("DATABASE_URL: нужен адрес вида postgresql://имя:пароль@хост:5432/база.")
    # libpq's name of the option is what providers print; asyncpg knows the same by another name.
    query = {("ssl" if name == "sslmode" else name): value for name, value in parsed.query.items() if name not in _LIBPQ_ALONE}
    if unknown := sorted(query.keys() - _OPTIONS):
        raise SettingsError(f"DATABASE_URL: параметр «{unknown[0]}» не поддерживается, уберите его из адреса.")
    return parsed.set(drivername="postgresql+asyncpg", query=query)
