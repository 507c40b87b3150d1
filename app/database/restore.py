"""Load a backup into an empty database: ``pg_restore`` writes SQL, ``psql`` executes it."""

import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, BinaryIO

from app.database.client_programs import (
    BackupError,
    find_client_programs,
    find_reason,
    kill_programs,
    open_environment,
    read_errors,
    run_until_done,
    start_program,
    wait_program,
)
from app.database.dump import DatabaseState, DumpFile, check_version, read_state
from app.database.engine import Database
from app.database.migrate import MIGRATION_LOCK

_LIMIT_SETTING = b"SET transaction_timeout"
"""What ``pg_restore`` 17 and later writes and Postgres 16 and earlier refuses.

The value is the default of a session, so no server needs the statement.
"""
# The processes that held them work on another database, if at all. A backup of an older release may
# lack a column.
_RELEASE_CLAIMS = r"""
    SELECT format('UPDATE %s SET %I = now() WHERE %2$I > now()', attrelid::regclass, attname)
    FROM pg_attribute
    WHERE attrelid = to_regclass('{schema}.runs') AND attname = 'lease_until'
       OR attrelid = to_regclass('{schema}.deliveries') AND attname = 'claimed_until' \gexec
"""
_READ_OPTIONS = ("--file=-", "--no-owner", "--no-privileges", "--exit-on-error")
_WRITE_OPTIONS = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=terse")


async def restore_schema(database: Database, dump: DumpFile, source: BinaryIO) -> None:
    """Load a backup into the empty schema of the database, in one transaction.

    ``source`` is the opened file. Its position is the progress. Leases and claims of the processes
    that worked on the original are released.

    The transaction is committed by the last statement that this process sends. If it is killed
    earlier, the database stays empty.

    Raises:
        BackupError: the server is newer than ``pg_restore``, or it refuses the content.
    """
    programs = find_client_programs()
    state = await read_state(database)
    check_version(state, programs)
    assert state.schema is not None  # noqa: S101 - checked by the caller
    with tempfile.TemporaryFile() as read_log, tempfile.TemporaryFile() as write_log:
        async with open_environment(database) as environment:
            reader = start_program(
                [f"{programs}/pg_restore", *_READ_OPTIONS, f"--schema={dump.schema}"],
                environment,
                stdin=source,
                stdout=subprocess.PIPE,
                stderr=read_log,
            )
            writer = start_program(
                [f"{programs}/psql", *_WRITE_OPTIONS],
                environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=write_log,
            )
            codes = await _run_programs(reader, writer, dump.schema, state.schema)
        _check_restored(dump, state, codes, read_errors(read_log), read_errors(write_log))


async def _run_programs(
    reader: subprocess.Popen[bytes], writer: subprocess.Popen[bytes], old: str, new: str
) -> tuple[int, int]:
    """Return the exit codes; if the caller is cancelled, kill both programs."""
    try:
        await run_until_done(lambda: _copy_script(reader, writer, old, new), reader, writer)
        return reader.wait(), await wait_program(writer)
    finally:
        kill_programs(reader, writer)


def _copy_script(
    reader: subprocess.Popen[bytes], writer: subprocess.Popen[bytes], old: str, new: str
) -> None:
    """Copy the whole script as one transaction; commit if ``pg_restore`` has written all of it."""
    source, target = reader.stdout, writer.stdin
    assert source is not None  # noqa: S101 - both are pipes
    assert target is not None  # noqa: S101
    # A closed pipe: psql has ended with an error of its own, and pg_restore ends too.
    with suppress(BrokenPipeError), source, target:
        target.write(f"BEGIN; SELECT pg_advisory_xact_lock({MIGRATION_LOCK});\n".encode())
        target.writelines(adapt_script(source, old, new))
        if reader.wait() == 0:
            target.write(f"{_RELEASE_CLAIMS.format(schema=new)} COMMIT;\nANALYZE;\n".encode())


def adapt_script(lines: IO[bytes], old: str, new: str) -> Iterator[bytes]:
    """Yield the SQL of ``pg_restore`` for any supported server and for another schema.

    ``transaction_timeout`` is left out, and the schema of the original is replaced. Rows of COPY
    are not changed.
    """
    pattern, schema = re.compile(rb"(?<![\w.])%s\." % re.escape(old.encode())), f"{new}.".encode()
    for line in lines:
        if not line.startswith(_LIMIT_SETTING):
            yield pattern.sub(lambda _: schema, line)
        if line.startswith(b"COPY ") and line.endswith(b" FROM stdin;\n"):
            yield from _copy_rows(lines)


def _copy_rows(lines: IO[bytes]) -> Iterator[bytes]:
    for row in lines:
        yield row
        if row == b"\\.\n":
            return


def _check_restored(
    dump: DumpFile, state: DatabaseState, codes: tuple[int, int], read_error: str, write_error: str
) -> None:
    """Raise the error of the program that failed first.

    SIGPIPE ends ``pg_restore`` if ``psql`` fails. If ``pg_restore`` is killed, ``psql`` gets half a
    row.
    """
    reader, writer = codes
    if killed := [code for code in codes if code < 0 and code != -signal.SIGPIPE]:
        reason = find_reason("", killed[0])
        raise BackupError(f"Восстановление прервано: {reason}; база осталась пустой.")
    if reader > 0:
        reason = find_reason(read_error, reader)
        raise BackupError(f"{dump.path}: копия повреждена ({reason}); база осталась пустой.")
    if reader or writer:
        raise BackupError(
            f"Postgres {state.version} не принял копию, сделанную с Postgres {dump.server_version}"
            f" ({find_reason(write_error, writer)}); база осталась пустой."
        )
