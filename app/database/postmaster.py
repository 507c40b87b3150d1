"""The process of the embedded Postgres: found by what it is and not by its number alone; started,
asked and stopped.

Knows no words for people: what it raises its caller turns into a sentence.
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

from app.database.cluster import DATABASE, PORT, USER, EmbeddedPostgresError, environment

_POLL_SECONDS = 0.03
_WATCH_SECONDS = 0.5
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 60.0
_LOG_BYTES = 10_000_000
_NOT_YET = (
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
    """Returns a server on the folder when it lets us in: the one that is there, or a new one,
    started by ``command``.

    One that was told to stop is not waited for but ended: it may wait for clients that mean to
    stay, ourselves among them.

    The caller sees to it that nobody else starts or stops one. Cancelled or failed, it leaves no
    server that it has started.

    Raises:
        TimeoutError: it does not answer.
        ProcessLookupError: it ended instead; ``postgres.log`` beside the folder says why.
        asyncpg.InvalidPasswordError: it does not know the password.
    """
    async with asyncio.timeout(patience_seconds):
        server = await _find(cluster)
        if server and _is_stopping(cluster):
            await _end(server)
            server = await _find(cluster)
        if server:
            _log.info("postgres.found", pid=server.pid)
            await _wait_until_ready(server, address, password)
            return server
        with _open_log(cluster.with_name("postgres.log")) as log:
            server = _launch(command, log)
        try:
            await _wait_until_ready(server, address, password)
        except BaseException:
            await _end(server)
            raise
        _log.info("postgres.started", pid=server.pid)
        return server


async def keep_running(
    server: psutil.Process, cluster: Path, start_again: Callable[[], Awaitable[psutil.Process]]
) -> None:
    """Starts the server again whenever it has ended or was told to, by whatever hand, until it is
    cancelled.

    Every process of ours does so; ``start_again`` lets one at a time, and all but the first find
    the new server. What hinders a start (a full disk) may pass, so it is tried for ever, after
    pauses that grow.
    """
    while True:
        while _lives(server) and not _is_stopping(cluster):  # noqa: ASYNC110 - it is nobody's child: nothing tells us
            await asyncio.sleep(_WATCH_SECONDS)
        _log.warning("postgres.ended", pid=server.pid)
        server = await _start_in_the_end(start_again)


async def _start_in_the_end(start_again: Callable[[], Awaitable[psutil.Process]]) -> psutil.Process:
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            return await start_again()
        except EmbeddedPostgresError as error:
            _log.error("postgres.not_started", error=error.message)
        except Exception:  # the top of a job: it tries again, whatever went wrong
            _log.exception("postgres.not_started")
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


async def stop(cluster: Path, patience_seconds: float) -> None:
    """Has the server, if there is one, cut its connections, write everything down and end.

    Raises:
        TimeoutError: it has not ended.
    """
    async with asyncio.timeout(patience_seconds):
        if server := await _find(cluster):
            await _end(server)
            _log.info("postgres.stopped", pid=server.pid)


async def _find(cluster: Path) -> psutil.Process | None:
    """The server at work in the folder; if None, the files by which one claims it are gone, so that
    a new one may.

    The number in ``postmaster.pid`` proves nothing: after a crash it is anybody's. And no file does
    not mean no processes: a server that is just starting has none yet, and the children of one that
    was killed may still be writing. Both are waited for.
    """
    while residents := _residents(cluster):
        if server := residents.get(_noted_pid(cluster)):
            return server
        await asyncio.sleep(_POLL_SECONDS)
    for stale in ("postmaster.pid", f".s.PGSQL.{PORT}.lock"):
        (cluster / stale).unlink(missing_ok=True)
    return None


def _residents(cluster: Path) -> dict[int | None, psutil.Process]:
    """Postgres's processes that work in the folder, by pid: each of them has its data folder as its
    current one.
    """
    residents: dict[int | None, psutil.Process] = {}
    for process in psutil.process_iter(["name"]):
        try:
            if process.info["name"] == "postgres" and process.cwd() == str(cluster):
                residents[process.pid] = process
        except psutil.Error:  # it has ended, or is another account's and so not ours
            continue
    return residents


def _noted_pid(cluster: Path) -> int | None:
    try:
        return int((cluster / "postmaster.pid").read_text().partition("\n")[0])
    except (FileNotFoundError, ValueError):
        return None


def _is_stopping(cluster: Path) -> bool:
    """Whether the server was told to stop; the file's last line is its state."""
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
    """Starts a server out of reach of our terminal and of our own end.

    A shell leaves it to init, for it to be nobody's child to reap. This blocks for those
    milliseconds and so cannot be cancelled half-way: no server is lost sight of.
    """
    shell = subprocess.run(  # noqa: S603 - our own program and arguments
        ["/bin/sh", "-c", '"$@" >&2 & echo $!', "sh", *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
        cwd="/",
        env=environment(),
        start_new_session=True,
        check=True,
    )
    try:
        return psutil.Process(int(shell.stdout))
    except psutil.NoSuchProcess as error:
        raise ProcessLookupError from error


async def _wait_until_ready(server: psutil.Process, address: Path, password: str) -> None:
    while _lives(server):
        try:
            connection = await asyncpg.connect(
                host=str(address), port=PORT, user=USER, password=password, database=DATABASE
            )
        except _NOT_YET:
            await asyncio.sleep(_POLL_SECONDS)
        except asyncpg.TooManyConnectionsError:
            return
        else:
            await connection.close()
            return
    raise ProcessLookupError


async def _end(server: psutil.Process) -> None:
    while _lives(server):
        with suppress(psutil.NoSuchProcess):
            server.send_signal(
                signal.SIGINT
            )  # Postgres's fast shutdown; again each time, as it is deaf to the first while it starts
        await asyncio.sleep(_POLL_SECONDS)


def _lives(server: psutil.Process) -> bool:
    try:
        # A container without an init does not bury its dead.
        return bool(server.is_running() and server.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
