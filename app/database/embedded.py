"""The embedded Postgres: a server under DATA_DIR, used when DATABASE_URL is unset.

The data is kept over restarts and shared by all processes of the service.

- ``DATA_DIR/postgres`` (0700) is the cluster with its socket and its ``password`` (0600).
- ``postgres.log`` and two lock files are next to it. A process that starts or stops the server
  holds the start lock. Each process that uses the server shares the users lock.
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
    create_cluster,
    find_account_command,
    find_programs,
    read_password,
)

__all__ = ["EmbeddedPostgresError", "embedded_postgres"]

_SETTINGS = {
    "listen_addresses": "",
    # The cluster folder. It is the server's current folder, so the length of its path does not
    # matter.
    "unix_socket_directories": ".",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "io_method": "sync",  # saves three processes; the data fits into memory
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements and their errors contain chat text. Only the client receives them, not the log.
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
# A socket path has at most 108 bytes on Linux and 104 on macOS, including the final zero.
_SOCKET_PATH_BYTES = 103


@asynccontextmanager
async def embedded_postgres(
    data_dir: Path, *, durable: bool = True, patience_seconds: float = 300
) -> AsyncIterator[str]:
    """Yield the address (SQLAlchemy with asyncpg) of a database that is ready.

    The server is created and started if necessary. Any number of processes may share a
    ``data_dir``; the last one to leave stops the server. A killed process leaves the server
    running, and the next process uses it. If the server is killed or stopped by hand earlier, it is
    started again.

    - ``durable=False``: a crash of the machine may lose the data. For tests only.
    - ``patience_seconds``: timeout of a start, crash recovery included, and of a stop.

    Raises:
        EmbeddedPostgresError: the programs are missing, the folder cannot be used, or the server
          does not start, answer or stop.
    """
    async with _share_server(
        data_dir, find_programs(), durable=durable, patience_seconds=patience_seconds
    ) as url:
        yield url


@asynccontextmanager
async def _share_server(
    data_dir: Path, programs: Path, *, durable: bool, patience_seconds: float
) -> AsyncIterator[str]:
    from app.database import postmaster  # noqa: PLC0415 - psutil comes with the extra

    with ExitStack() as stack:
        with _translate_errors(data_dir):
            cluster = _create_data_dir(data_dir) / "postgres"
            users = stack.enter_context(_open_lock(cluster.with_name("postgres.users.lock")))
            address = stack.enter_context(_shorten_path(cluster))
            async with _hold_start_lock(cluster) as lock:
                command, password = await _prepare_cluster(cluster, programs, lock, durable=durable)
                start = partial(
                    postmaster.start, cluster, command, address, password, patience_seconds
                )
                server = await start()
                fcntl.flock(users, fcntl.LOCK_SH)

        async def restart() -> Any:
            with _translate_errors(data_dir):
                async with _hold_start_lock(cluster):
                    return await start()

        keeper = asyncio.create_task(
            postmaster.keep_running(server, cluster, restart), name="postgres"
        )
        try:
            yield _build_url(address, password)
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
            with _translate_errors(data_dir):
                async with _hold_start_lock(cluster):
                    if _try_lock(users):
                        await postmaster.stop(cluster, patience_seconds)


async def _prepare_cluster(
    cluster: Path, programs: Path, lock: int, *, durable: bool
) -> tuple[list[str], str]:
    """Create the cluster if it does not exist; return the server's command and the password."""
    if not _cluster_exists(cluster):
        await create_cluster(cluster, programs, lock, durable=durable)
    password = read_password(cluster)
    account = await find_account_command(cluster, programs)
    return [*account, *_build_command(cluster, programs, durable=durable)], password


def _create_data_dir(data_dir: Path) -> Path:
    data_dir.mkdir(parents=True, exist_ok=True)
    return data_dir.resolve()


def _cluster_exists(cluster: Path) -> bool:
    """Return whether the folder is not empty.

    An empty folder, such as a new mounted volume, is not a cluster and may be filled. A folder with
    any content must not be overwritten.
    """
    return cluster.exists() and any(cluster.iterdir())


def _build_command(cluster: Path, programs: Path, *, durable: bool) -> list[str]:
    settings = _SETTINGS if durable else _SETTINGS | _NOT_DURABLE
    return [
        f"{programs}/postgres",
        "-D",
        str(cluster),
        *(f"--{name}={value}" for name, value in settings.items()),
    ]


@contextmanager
def _shorten_path(cluster: Path) -> Iterator[Path]:
    """Yield a path of the folder that clients can use as a host.

    It is the folder itself, or a symbolic link if the path is too long or contains a comma, which
    clients read as two hosts.
    """
    if len(os.fsencode(cluster / f".s.PGSQL.{PORT}")) <= _SOCKET_PATH_BYTES and "," not in str(
        cluster
    ):
        yield cluster
        return
    with (
        tempfile.TemporaryDirectory(prefix="avito-quality-") as folder,
        _open_lock(Path(folder)) as lock,
    ):
        # systemd removes old files from /tmp, but not those on which a process holds a lock.
        fcntl.flock(lock, fcntl.LOCK_SH)
        alias = Path(folder) / "postgres"
        alias.symlink_to(cluster)
        yield alias


def _build_url(address: Path, password: str) -> str:
    query = {"host": str(address), "port": str(PORT)}
    return URL.create(
        "postgresql+asyncpg", USER, password, database=DATABASE, query=query
    ).render_as_string(hide_password=False)


@asynccontextmanager
async def _hold_start_lock(cluster: Path) -> AsyncIterator[int]:
    """Hold the lock that serializes starting and stopping the server.

    It polls because a blocking flock could not be cancelled.
    """
    with _open_lock(cluster.with_name("postgres.start.lock")) as lock:
        while not _try_lock(lock):  # noqa: ASYNC110 - released by another process
            await asyncio.sleep(_POLL_SECONDS)
        yield lock


@contextmanager
def _open_lock(path: Path) -> Iterator[int]:
    """Open a file, created if missing, or an existing folder as a lock; close it at the end.

    Closing the descriptor releases the lock.
    """
    descriptor = os.open(path, os.O_RDONLY | (0 if path.is_dir() else os.O_CREAT), 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _try_lock(lock: int) -> bool:
    """Take the exclusive lock; return False if another process holds or shares it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _translate_errors(data_dir: Path) -> Iterator[None]:
    """Translate errors of the server or the folder into EmbeddedPostgresError with a message."""
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
