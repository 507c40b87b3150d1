"""Postgres's client programs: ``pg_dump``, ``pg_restore`` and ``psql``, and how they connect.

The password and all other parts of the address are passed in the environment. A command line is
visible to every account of the machine.
"""

import asyncio
import os
import re
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from app.database.address import TlsOptions
from app.database.client_environment import build_client_environment
from app.database.cluster import EmbeddedPostgresError, build_environment, find_programs
from app.database.engine import Database
from app.database.tunnel import open_tunnel
from app.errors import AppError

_KEPT_VARIABLES = ("HOME", "PGPASSWORD", "PGPASSFILE")
"""Variables of this process that the driver reads too, so that both connect alike."""
_NO_TLS = TlsOptions(mode="disable")
_CONNECT_SECONDS = "15"
_REASON_CHARACTERS = 300
_SIGNALS = {
    signal.SIGXFSZ: "файл больше, чем разрешает ulimit -f",
    signal.SIGKILL: "программу убил SIGKILL: так система поступает, когда не хватает памяти",
}


class BackupError(AppError):
    """A backup or a restore failed. The message states what to do."""


def find_client_programs() -> Path:
    """Return the folder with ``pg_dump``: the one of the embedded Postgres, else that of PATH.

    Raises:
        BackupError: neither is installed.
    """
    try:
        return find_programs()
    except EmbeddedPostgresError:
        if found := shutil.which("pg_dump"):
            return Path(found).parent  # not resolved: Debian links it to a wrapper
    raise BackupError(
        "Нет программ pg_dump и pg_restore: установите их командой pip install"
        " 'avito-quality[local]' или пакетом postgresql-client; в контейнере — pg_dump контейнера"
        " базы, как в docs/operations.md."
    )


def read_version(programs: Path) -> str:
    """Return the version of ``pg_dump`` and its sister programs, for example ``18.4``."""
    done = subprocess.run(  # noqa: S603 - our own program and arguments
        [programs / "pg_dump", "--version"],
        env=build_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"\) (\d[\w.]*)", done.stdout)
    if found is None:
        raise BackupError(f"Программа {programs / 'pg_dump'} не запускается.")
    return found[1]


def parse_major(version: str) -> int:
    """Return the major version: 18 of ``18.4 (Debian 18.4-1)`` and of ``18beta1``."""
    found = re.match(r"\d+", version)
    return int(found[0]) if found else 0


@asynccontextmanager
async def open_environment(database: Database) -> AsyncIterator[dict[str, str]]:
    """Yield the environment in which a client program connects to the database.

    Without a password in the address or in PGPASSWORD the program connects by itself: it looks for
    one in the password file by the names of the servers.
    """
    defaults = {"PGCONNECT_TIMEOUT": _CONNECT_SECONDS, "PGAPPNAME": "avito-quality"}
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    common = {**build_environment(), **defaults, **kept}
    if database.address.password is None and "PGPASSWORD" not in kept:
        yield {**common, **build_client_environment(database.address, database.ca_file)}
        return
    async with open_tunnel(database) as host:
        address = replace(database.address, hosts=(host,), tls=_NO_TLS)
        yield {**common, **build_client_environment(address)}


def find_reason(stderr: str, code: int) -> str:
    """Return the first error of a client program without the values that follow it.

    A value may be a chat's text. A program that a signal has ended writes no error. ``code``: its
    exit code; minus the signal's number if a signal ended it.
    """
    errors = re.findall(r"(?:error|ERROR|FATAL):\s+(.+)", stderr)
    reason = (errors or stderr.strip().splitlines() or [_describe_end(code)])[0]
    return str(reason).partition(': "')[0][:_REASON_CHARACTERS].rstrip(". ")


def _describe_end(code: int) -> str:
    if code >= 0:
        return f"причина неизвестна, код {code}"
    number = signal.Signals(-code)
    return _SIGNALS.get(number, f"программу завершил сигнал {number.name}")


def start_program(
    command: list[str], environment: dict[str, str], **pipes: Any
) -> subprocess.Popen[bytes]:
    """Start a client program; Ctrl-C does not reach it."""
    return subprocess.Popen(  # noqa: S603 - our own program and arguments
        command,
        **{"stdin": subprocess.DEVNULL, **pipes},
        cwd="/",
        env=environment,
        start_new_session=True,
    )


async def wait_program(process: subprocess.Popen[bytes]) -> int:
    """Return the exit code; kill the program if the caller is cancelled."""
    await run_until_done(process.wait, process)
    return process.returncode


async def run_until_done(work: Callable[[], object], *processes: subprocess.Popen[bytes]) -> None:
    """Run blocking work in a thread; if the caller is cancelled, killed programs end it."""
    working = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        await asyncio.shield(working)
    except asyncio.CancelledError:
        kill_programs(*processes)
        await asyncio.gather(working, return_exceptions=True)
        raise


def kill_programs(*processes: subprocess.Popen[bytes]) -> None:
    """Kill the programs that still run, and wait for their ends."""
    for process in processes:
        process.kill()
        process.wait()


def read_errors(file: IO[bytes]) -> str:
    """Return what a program has written to the file of its stderr."""
    file.seek(0)
    return file.read().decode(errors="replace")
