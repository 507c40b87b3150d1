"""The server process of the embedded Postgres: find, start, watch and stop it.

The process is identified by its name and folder, not by its pid alone. Errors carry no user-facing
text; the caller adds the message.
"""

import asyncio
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import asyncpg
import psutil  # type: ignore[import-untyped]
import structlog

from app.database.cluster import DATABASE, PORT, USER, EmbeddedPostgresError, build_environment

_POLL_SECONDS = 0.03
_WATCH_SECONDS = 0.5
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 60.0
_LOG_BYTES = 10_000_000
_STARTING_ERRORS = (
    FileNotFoundError,
    ConnectionError,
    TimeoutError,
    asyncpg.CannotConnectNowError,
    asyncpg.ConnectionDoesNotExistError,
)

_log = structlog.get_logger(__name__)


async def start(
    cluster: Path, command: Sequence[str], address: Path, password: str, patience_seconds: float
) -> psutil.Process:
    """Return the server of the folder once it accepts connections.

    An existing server is used. Otherwise a new one is started with ``command``. A server that is
    already stopping is terminated without waiting, because it may wait for clients that never
    disconnect, this process included.

    The caller must hold the start lock. If the call is cancelled or fails, the server it has
    started is terminated.

    Raises:
        TimeoutError: the server does not answer.
        ProcessLookupError: the server ended; ``postgres.log`` next to the folder contains the
          reason.
        asyncpg.InvalidPasswordError: the server does not accept the password.
    """
    async with asyncio.timeout(patience_seconds):
        server = await _find_server(cluster)
        if server and _is_stopping(cluster):
            await _terminate(server)
            server = await _find_server(cluster)
        if server:
            _log.info("postgres.found", pid=server.pid)
            await _wait_until_ready(server, address, password)
            return server
        with _open_log(cluster.with_name("postgres.log")) as log:
            server = _launch(command, log)
        try:
            await _wait_until_ready(server, address, password)
        except BaseException:
            await _terminate(server)
            raise
        _log.info("postgres.started", pid=server.pid)
        return server


async def keep_running(
    server: psutil.Process, cluster: Path, restart: Callable[[], Awaitable[psutil.Process]]
) -> None:
    """Restart the server whenever it has ended or is stopping, until cancelled.

    Each process of the service does this. ``restart`` admits one process at a time; all later
    ones find the new server. The cause of a failed start (a full disk) may disappear, so starts are
    retried without limit after growing pauses.
    """
    while True:
        while _is_alive(server) and not _is_stopping(cluster):  # noqa: ASYNC110 - not a child process
            await asyncio.sleep(_WATCH_SECONDS)
        _log.warning("postgres.ended", pid=server.pid)
        server = await _retry_start(restart)


async def _retry_start(restart: Callable[[], Awaitable[psutil.Process]]) -> psutil.Process:
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            return await restart()
        except EmbeddedPostgresError as error:
            _log.error("postgres.not_started", error=error.message)
        except Exception:  # top of a job: retry after any error
            _log.exception("postgres.not_started")
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


async def stop(cluster: Path, patience_seconds: float) -> None:
    """Stop the server, if there is one: disconnect clients, flush all data, exit.

    Raises:
        TimeoutError: the server has not ended.
    """
    async with asyncio.timeout(patience_seconds):
        if server := await _find_server(cluster):
            await _terminate(server)
            _log.info("postgres.stopped", pid=server.pid)


async def _find_server(cluster: Path) -> psutil.Process | None:
    """Return the server that runs in the folder, or None.

    If None, its lock files are removed, so that a new server can start.

    The pid in ``postmaster.pid`` is no proof: after a crash it may belong to any process. A missing
    file is no proof that there are no processes: a starting server has none yet, and children of a
    killed server may still write. Both cases are waited for.
    """
    while processes := _list_processes(cluster):
        if server := processes.get(_read_pid(cluster)):
            return server
        await asyncio.sleep(_POLL_SECONDS)
    for stale in ("postmaster.pid", f".s.PGSQL.{PORT}.lock"):
        (cluster / stale).unlink(missing_ok=True)
    return None


def _list_processes(cluster: Path) -> dict[int | None, psutil.Process]:
    """Return the Postgres processes that work in the folder, by pid.

    The current folder of each Postgres process is its data folder.
    """
    processes: dict[int | None, psutil.Process] = {}
    for process in psutil.process_iter(["name"]):
        try:
            if process.info["name"] == "postgres" and process.cwd() == str(cluster):
                processes[process.pid] = process
        except psutil.Error:  # it has ended, or belongs to another account and cannot be ours
            continue
    return processes


def _read_pid(cluster: Path) -> int | None:
    try:
        return int((cluster / "postmaster.pid").read_text().partition("\n")[0])
    except (FileNotFoundError, ValueError):
        return None


def _is_stopping(cluster: Path) -> bool:
    """Return whether the server is stopping, according to the last line of its pid file."""
    try:
        return (cluster / "postmaster.pid").read_bytes().rstrip().endswith(b"\nstopping")
    except OSError:
        return False


def _open_log(path: Path) -> BinaryIO:
    log = os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600), "ab")
    if log.tell() > _LOG_BYTES:
        log.truncate(0)
    return log


def _launch(command: Sequence[str], log: BinaryIO) -> psutil.Process:
    """Start a server that is detached from the terminal and survives this process.

    A shell starts it, so that init becomes its parent. The call blocks for a few milliseconds and
    cannot be cancelled half-way, so the pid is never lost.
    """
    shell = subprocess.run(  # noqa: S603 - our own program and arguments
        ["/bin/sh", "-c", '"$@" >&2 & echo $!', "sh", *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
        cwd="/",
        env=build_environment(),
        start_new_session=True,
        check=True,
    )
    try:
        return psutil.Process(int(shell.stdout))
    except psutil.NoSuchProcess as error:
        raise ProcessLookupError from error


async def _wait_until_ready(server: psutil.Process, address: Path, password: str) -> None:
    while _is_alive(server):
        try:
            connection = await asyncpg.connect(
                host=str(address), port=PORT, user=USER, password=password, database=DATABASE
            )
        except _STARTING_ERRORS:
            await asyncio.sleep(_POLL_SECONDS)
        except asyncpg.TooManyConnectionsError:
            return
        else:
            await connection.close()
            return
    raise ProcessLookupError


async def _terminate(server: psutil.Process) -> None:
    while _is_alive(server):
        with suppress(psutil.NoSuchProcess):
            # Postgres's fast shutdown; repeated because a starting server ignores the signal.
            server.send_signal(signal.SIGINT)
        await asyncio.sleep(_POLL_SECONDS)


def _is_alive(server: psutil.Process) -> bool:
    try:
        # A container without an init does not reap zombies.
        return bool(server.is_running() and server.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
