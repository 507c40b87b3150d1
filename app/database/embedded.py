"""The embedded Postgres: a server of our own under DATA_DIR, for when DATABASE_URL is unset. Kept
over restarts, shared by our processes.

``DATA_DIR/postgres`` (0700) is the cluster, with its socket and its ``password`` (0600). Beside it
lie ``postgres.log`` and two lock files: whoever starts or stops the server holds the start lock,
whoever uses it shares the users lock.
"""

import asyncio
import fcntl
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import URL

from app.database.cluster import (
    DATABASE,
    PORT,
    USER,
    EmbeddedPostgresError,
    account_of,
    create_cluster,
    find_programs,
    read_password,
)

__all__ = ["EmbeddedPostgresError", "embedded_postgres"]

_SETTINGS = {
    "listen_addresses": "",
    # the cluster itself: the server is in it, so the length of its path does not matter
    "unix_socket_directories": ".",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "io_method": "sync",  # three processes less; what is read here fits into memory
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements and their errors hold chats. The client is told; the log is not.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}
_NOT_DURABLE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}

_POLL_SECONDS = 0.03
# The path of a socket has 108 bytes on Linux and 104 on macOS, a zero at its end included.
_SOCKET_PATH_BYTES = 103


@asynccontextmanager
async def embedded_postgres(
    data_dir: Path, *, durable: bool = True, patience_seconds: float = 300
) -> AsyncIterator[str]:
    """The address (for SQLAlchemy with asyncpg) of a database that is ready; its server is made or
    started where there is none.

    Any number of our processes may share a ``data_dir``; the last to leave stops the server. One
    that was killed leaves it running, and the next uses it. A server that ends before that, killed
    or stopped by hand, is started again. With ``durable=False`` a crash of the machine may cost the
    data: for tests. ``patience_seconds`` limits the wait for a start, crash recovery included, and
    for a stop.

    Raises:
        EmbeddedPostgresError: the programs are missing, the folder cannot be used, the server does
          not start, answer or stop.
    """
    programs = find_programs()
    from app.database import postmaster  # noqa: PLC0415 - psutil comes with the same extra as the programs

    with ExitStack() as held:
        with _explained(data_dir):
            cluster = _prepared(data_dir) / "postgres"
            users = held.enter_context(_lock_file(cluster.with_name("postgres.users.lock")))
            address = held.enter_context(_short(cluster))
            async with _turn(cluster) as lock:
                if not _is_there(cluster):
                    await create_cluster(cluster, programs, lock, durable=durable)
                password = read_password(cluster)
                command = [
                    *await account_of(cluster, programs),
                    *_server(cluster, programs, durable=durable),
                ]
                start = partial(
                    postmaster.start, cluster, command, address, password, patience_seconds
                )
                server = await start()
                fcntl.flock(users, fcntl.LOCK_SH)

        async def start_again() -> Any:
            with _explained(data_dir):
                async with _turn(cluster):
                    return await start()

        keeper = asyncio.create_task(
            postmaster.keep_running(server, cluster, start_again), name="postgres"
        )
        try:
            yield _url(address, password)
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
            with _explained(data_dir):
                async with _turn(cluster):
                    if _locked(users):
                        await postmaster.stop(cluster, patience_seconds)


def _prepared(data_dir: Path) -> Path:
    data_dir.mkdir(parents=True, exist_ok=True)
    return data_dir.resolve()


def _is_there(cluster: Path) -> bool:
    """An empty folder, as a mounted volume leaves it, is no cluster; one with anything else in it
    is not ours to fill.
    """
    return cluster.exists() and any(cluster.iterdir())


def _server(cluster: Path, programs: Path, *, durable: bool) -> list[str]:
    settings = _SETTINGS if durable else _SETTINGS | _NOT_DURABLE
    return [
        f"{programs}/postgres",
        "-D",
        str(cluster),
        *(f"--{name}={value}" for name, value in settings.items()),
    ]


@contextmanager
def _short(cluster: Path) -> Iterator[Path]:
    """The folder by a name that clients can use: itself, or a link to it where its own is too long
    or would read as two hosts.
    """
    if len(os.fsencode(cluster / f".s.PGSQL.{PORT}")) <= _SOCKET_PATH_BYTES and "," not in str(
        cluster
    ):
        yield cluster
        return
    with (
        tempfile.TemporaryDirectory(prefix="avito-quality-") as folder,
        _lock_file(Path(folder)) as lock,
    ):
        # systemd clears away what has lain in /tmp for days, but nothing that somebody holds a lock
        # on.
        fcntl.flock(lock, fcntl.LOCK_SH)
        alias = Path(folder) / "postgres"
        alias.symlink_to(cluster)
        yield alias


def _url(address: Path, password: str) -> str:
    where = {"host": str(address), "port": str(PORT)}
    return URL.create(
        "postgresql+asyncpg", USER, password, database=DATABASE, query=where
    ).render_as_string(hide_password=False)


@asynccontextmanager
async def _turn(cluster: Path) -> AsyncIterator[int]:
    """While it lasts nobody else starts or stops the server. (A flock that blocks could not be
    cancelled.)
    """
    with _lock_file(cluster.with_name("postgres.start.lock")) as lock:
        while not _locked(lock):  # noqa: ASYNC110 - another process holds it: nothing tells us
            await asyncio.sleep(_POLL_SECONDS)
        yield lock


@contextmanager
def _lock_file(path: Path) -> Iterator[int]:
    """A file that is made, or a folder that is there, to take a lock on; closing it gives the lock
    back.
    """
    descriptor = os.open(path, os.O_RDONLY | (0 if path.is_dir() else os.O_CREAT), 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _locked(lock: int) -> bool:
    """Takes the lock, unless anybody else holds or shares it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _explained(data_dir: Path) -> Iterator[None]:
    """Turns what the server or the folder refuses into the sentence that a person is told."""
    log = data_dir / "postgres.log"
    try:
        yield
    except TimeoutError as error:
        raise EmbeddedPostgresError(
            f"Встроенный Postgres не отвечает; завершите его процесс и запустите снова ({log})."
        ) from error
    except ProcessLookupError as error:
        raise EmbeddedPostgresError(
            f"Встроенный Postgres не запустился, причина в конце файла {log}."
        ) from error
    except asyncpg.InvalidPasswordError as error:
        raise EmbeddedPostgresError(
            f"Встроенный Postgres не принимает пароль из {data_dir / 'postgres' / 'password'}."
        ) from error
    except OSError as error:
        raise EmbeddedPostgresError(
            f"Встроенный Postgres не может работать в DATA_DIR ({data_dir}): {error}."
        ) from error
