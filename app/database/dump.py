"""Write the service's schema to a file with ``pg_dump``, and read the head of such a file.

The file has ``pg_dump``'s custom format, so ``pg_restore`` reads it too. It contains the schema of
the service's tables and nothing else of the database.
"""

import asyncio
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from sqlalchemy import text

from app.database.client_programs import (
    BackupError,
    find_client_programs,
    find_reason,
    open_environment,
    parse_major,
    read_errors,
    read_version,
    start_program,
    wait_program,
)
from app.database.cluster import build_environment
from app.database.engine import Database

_NO_SPACE = "No space left on device"
_STATE_QUERY = """
    SELECT current_setting('server_version') AS version,
           quote_ident(current_schema()) AS schema,
           current_database() AS name,
           array(SELECT relname::text FROM pg_class c
                 WHERE relnamespace = current_schema()::regnamespace
                   AND relkind IN ('r', 'p', 'v', 'm')
                   AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = c.oid AND deptype = 'e')
                 ORDER BY relname) AS tables
"""


class DatabaseState(NamedTuple):
    """The server's version and the schema of the service; ``tables``: all tables in it."""

    version: str
    schema: str | None
    name: str
    tables: list[str]


async def read_state(database: Database) -> DatabaseState:
    """Return the state of the database."""
    async with database.session() as session:
        return DatabaseState(*(await session.execute(text(_STATE_QUERY))).one())


async def dump_schema(database: Database, target: BinaryIO) -> None:
    """Write the schema of the service's tables to a file.

    Raises:
        BackupError: the server is newer than ``pg_dump``, the disk is full, or ``pg_dump`` failed.
    """
    programs = find_client_programs()
    state = await read_state(database)
    check_version(state, programs)
    command = [
        f"{programs}/pg_dump",
        "--format=custom",
        "--no-owner",
        "--no-privileges",
        f"--schema={state.schema}",
        "--lock-wait-timeout=60s",
    ]
    with tempfile.TemporaryFile() as errors:
        async with open_environment(database) as environment:
            process = start_program(command, environment, stdout=target, stderr=errors)
            code = await wait_program(process)
        if code:
            raise _make_dump_error(read_errors(errors), code)


def check_version(state: DatabaseState, programs: Path) -> None:
    """Check that the client programs support the server.

    Raises:
        BackupError: the server is newer; the message has both versions.
    """
    own = read_version(programs)
    if parse_major(state.version) > parse_major(own):
        raise BackupError(
            f"На сервере базы Postgres {state.version}, а pg_dump и pg_restore здесь {own}: более"
            " новый сервер они не поддерживают. Обновите программу или сделайте копию его"
            " собственным pg_dump --format=custom."
        )


def _make_dump_error(stderr: str, code: int) -> BackupError:
    if _NO_SPACE in stderr:
        return BackupError("На диске нет места для копии: освободите его или укажите другую папку.")
    return BackupError(f"pg_dump не сделал копию: {find_reason(stderr, code)}.")


@dataclass(frozen=True)
class DumpFile:
    """A readable backup: its schema, the server it came from, and its revision of the tables."""

    path: Path
    schema: str
    server_version: str
    revision: str


async def read_dump(path: Path) -> DumpFile:
    """Read the head of a backup.

    Raises:
        BackupError: it is not a backup of this service, or it is damaged or newer than
          ``pg_restore``.
    """
    return await asyncio.to_thread(_read_dump, path)


def _read_dump(path: Path) -> DumpFile:
    listing = _run_pg_restore(path, "--list")
    version = re.search(r"Dumped from database version: (\S+)", listing)
    table = re.search(r"TABLE (\S+) alembic_version ", listing)
    if version is None or table is None:
        raise BackupError(f"{path}: в этой копии нет таблиц службы.")
    rows = _run_pg_restore(path, "--data-only", "--table=alembic_version", "--file=-")
    revision = re.search(r"^COPY .*\n(\w+)$", rows, re.MULTILINE)
    if revision is None:
        raise BackupError(f"{path}: в этой копии не указана версия схемы, она неполная.")
    return DumpFile(path, table[1], version[1], revision[1])


def _run_pg_restore(path: Path, *arguments: str) -> str:
    programs = find_client_programs()
    done = subprocess.run(  # noqa: S603 - our own program and arguments
        [f"{programs}/pg_restore", *arguments, str(path)],
        env=build_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BackupError(
            f"{path}: это не копия, сделанная командой backup или pg_dump --format=custom, или она"
            f" повреждена ({find_reason(done.stderr, done.returncode)})."
        )
    return done.stdout
