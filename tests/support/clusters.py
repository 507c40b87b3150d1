"""An embedded cluster from outside: its processes and files, and other processes that use it."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
from sqlalchemy import URL, NullPool, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from app.database.cluster import find_programs
from tests.support.checkout import CHECKOUT

# Uses the database until Ctrl-C, and once more after it.
CHILD = """
import asyncio, signal, sys
from pathlib import Path
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from app.database.embedded import embedded_postgres

async def main():
    async with embedded_postgres(Path(sys.argv[1]), durable=False) as url:
        print(url, flush=True)
        try:
            await asyncio.Event().wait()
        finally:
            async with create_async_engine(url).connect() as connection:
                rows = await connection.scalar(text("SELECT count(*) FROM chats"))
                print("rows", rows, flush=True)

# A background shell job, as the tests may be, ignores SIGINT.
signal.signal(signal.SIGINT, signal.default_int_handler)
asyncio.run(main())
"""


async def fetch_value(url: str | URL, sql: str) -> Any:
    """Run a statement outside a transaction; return the first value of the first row, if any."""
    engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        result = await connection.execute(text(sql))
        return result.scalar() if result.returns_rows else None


@asynccontextmanager
async def limit_connections(cluster_url: str, url: str, limit: int) -> AsyncIterator[str]:
    """Yield the database's address for a role with a connection limit."""
    await fetch_value(
        cluster_url, f"CREATE ROLE small LOGIN PASSWORD 'small' CONNECTION LIMIT {limit}"
    )
    await fetch_value(url, "GRANT ALL ON SCHEMA public TO small")
    try:
        yield (
            make_url(url)
            .set(username="small", password="small")
            .render_as_string(hide_password=False)
        )
    finally:
        await fetch_value(url, "DROP OWNED BY small")
        await fetch_value(cluster_url, "DROP ROLE small")


def get_socket_folder(url: str) -> Path:
    """Return the folder in which clients look for the socket."""
    return Path(str(make_url(url).query["host"]))


def list_servers(data_dir: Path) -> list[psutil.Process]:
    """Return the live Postgres processes of the folder's cluster."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.name() == "postgres" and process.cwd() == str(data_dir / "postgres"):
                found.append(process)
    return found


def get_postmaster(data_dir: Path) -> psutil.Process:
    return psutil.Process(int((data_dir / "postgres" / "postmaster.pid").read_text().split()[0]))


async def run_command(*command: str | Path) -> tuple[int, str]:
    """Return the exit status and the combined output of a command."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=CHECKOUT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


async def read_cluster_state(data_dir: Path) -> str:
    """Return the cluster's state according to pg_controldata; ``shut down`` is a clean stop."""
    _, output = await run_command(find_programs() / "pg_controldata", data_dir / "postgres")
    return next(
        line.split(":")[1].strip()
        for line in output.splitlines()
        if line.startswith("Database cluster state")
    )


def list_unfinished(data_dir: Path) -> list[Path]:
    return list(data_dir.glob("postgres.new-*"))


def write_pid(path: Path, pid: int) -> None:
    """Replace the pid in a lock file of Postgres."""
    _, rest = path.read_text().split("\n", 1)
    path.write_text(f"{pid}\n{rest}")


def get_mode(path: Path) -> str:
    return oct(path.stat().st_mode & 0o777)


async def wait_until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - the condition depends on other processes
            await asyncio.sleep(0.005)


@asynccontextmanager
async def start_other_process(data_dir: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start another process that uses the database, as a terminal would.

    The database is ready when this yields.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CHILD, str(data_dir)),
        cwd=CHECKOUT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        await read_line(process, "postgresql+asyncpg://")
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def read_line(process: asyncio.subprocess.Process, beginning: str) -> str:
    assert process.stdout
    async for line in process.stdout:
        if line.decode().startswith(beginning):
            return line.decode().strip()
    raise AssertionError(f"ended before it said {beginning}")


def kill_all(data_dir: Path) -> None:
    for process in list_servers(data_dir):
        with suppress(psutil.NoSuchProcess):
            process.kill()
