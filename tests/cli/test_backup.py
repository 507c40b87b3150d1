"""``backup`` as a user runs it: one file that holds the whole database, written or not at all."""

import asyncio
import os
import pty
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
from sqlalchemy import make_url

from app.database.client_programs import BackupError
from app.database.dump import DatabaseState, check_version
from app.database.engine import Database
from tests.support.backups import fill, list_names, run_backup
from tests.support.checkout import CHECKOUT
from tests.support.clusters import fetch_value
from tests.support.command_line import start_app, stop, wait_end
from tests.support.small_disk import run_on_small_disk
from tests.support.stage import Stage, until

GOOD_FILE = b"an earlier backup"


@asynccontextmanager
async def lock_reports(url: str) -> AsyncIterator[None]:
    """Lock a table, so that ``pg_dump`` waits in the middle of its work."""
    database = Database(url)
    async with database.transaction() as session:
        await (await session.connection()).exec_driver_sql(
            "LOCK TABLE reports IN ACCESS EXCLUSIVE MODE"
        )
        yield
    await database.close()


def list_dump_processes(file: Path) -> list[psutil.Process]:
    """Return the ``pg_dump`` processes that write a file.

    Other tests write files of the same name in other folders at the same time.
    """
    found = []
    for process in psutil.process_iter(["name"]):
        if process.info["name"] == "pg_dump":
            output = Path(f"/proc/{process.pid}/fd/1").resolve()
            is_own = output.parent == file.parent.resolve() and output.name.startswith(file.name)
            found += [process] if is_own else []
    return found


async def wait_for_dump(file: Path) -> psutil.Process:
    async def has_begun() -> bool:
        return bool(list_dump_processes(file))

    await until(has_begun)
    return list_dump_processes(file)[0]


async def test_password_is_on_no_command_line(tmp_path: Path, database_url: str) -> None:
    file = tmp_path / "quality.dump"
    password = make_url(database_url).password
    assert password
    async with (
        lock_reports(database_url),
        start_app(tmp_path, "backup", str(file), DATABASE_URL=database_url) as program,
    ):
        dumping = await wait_for_dump(file)
        assert password not in " ".join(dumping.cmdline())
        await stop(program, signal.SIGTERM)


async def test_direct_address_is_used(tmp_path: Path, database_url: str, cluster_url: str) -> None:
    """pg_dump needs a session, which a pooler does not give."""
    file = tmp_path / "quality.dump"
    await fetch_value(cluster_url, "CREATE ROLE direct SUPERUSER LOGIN PASSWORD 'secret'")
    try:
        direct = make_url(database_url).set(username="direct", password="secret")
        settings = {
            "DATABASE_URL": database_url,
            "DATABASE_DIRECT_URL": direct.render_as_string(hide_password=False),
        }
        async with (
            lock_reports(database_url),
            start_app(tmp_path, "backup", str(file), **settings) as program,
        ):
            dumping = await wait_for_dump(file)
            assert dumping.environ()["PGUSER"] == "direct"
            await stop(program, signal.SIGTERM)
    finally:
        await fetch_value(cluster_url, "DROP ROLE direct")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
async def test_interrupted_backup_keeps_the_earlier_file(
    tmp_path: Path, database_url: str, how: signal.Signals
) -> None:
    file = tmp_path / "quality.dump"
    file.write_bytes(GOOD_FILE)
    async with (
        lock_reports(database_url),
        start_app(tmp_path, "backup", str(file), DATABASE_URL=database_url) as program,
    ):
        await wait_for_dump(file)
        ended = await stop(program, how)
        assert ended.code == 130
        assert list_dump_processes(file) == []
    assert list_names(tmp_path) == [file.name]
    assert file.read_bytes() == GOOD_FILE


async def test_killed_backup_keeps_the_earlier_file(tmp_path: Path, database_url: str) -> None:
    """Its part is locked until ``pg_dump`` has ended, and the next backup writes over it."""
    file = tmp_path / "quality.dump"
    file.write_bytes(GOOD_FILE)
    settings = {"DATABASE_URL": database_url}
    async with lock_reports(database_url):
        async with start_app(tmp_path, "backup", str(file), **settings) as program:
            left = await wait_for_dump(file)
            program.send_signal(signal.SIGKILL)
            await wait_end(program)
        assert file.read_bytes() == GOOD_FILE
        busy = await run_backup(tmp_path, file, **settings)
        assert (busy.code, "уже пишет другая команда" in busy.err) == (2, True)
    await asyncio.to_thread(psutil.wait_procs, [left], 30)
    assert file.read_bytes() == GOOD_FILE
    assert (await run_backup(tmp_path, file, **settings)).code == 0
    assert file.read_bytes().startswith(b"PGDMP")
    assert list_names(tmp_path) == [file.name]


async def test_full_disk_keeps_the_earlier_file(
    stage: Stage, tmp_path: Path, database_url: str
) -> None:
    await fill(stage)
    settings = {"DATABASE_URL": database_url, "before": "echo good > quality.dump"}
    ended = await run_on_small_disk(
        tmp_path, "32k", "backup", "quality.dump", after="ls; cat quality.dump", **settings
    )
    assert (ended.code, ended.err.count("\n")) == (1, 1), ended
    assert "На диске нет места для копии" in ended.err
    assert ended.lines[-2:] == ["quality.dump", "good"]


async def test_file_limit_keeps_the_earlier_file(tmp_path: Path, database_url: str) -> None:
    file = tmp_path / "quality.dump"
    file.write_bytes(GOOD_FILE)
    settings = {"DATABASE_URL": database_url}
    async with start_app(tmp_path, "backup", str(file), **settings) as program:
        async with lock_reports(database_url):
            (await wait_for_dump(file)).rlimit(psutil.RLIMIT_FSIZE, (100, 100))
        ended = await wait_end(program)
    assert (ended.code, ended.err.count("\n")) == (1, 1), ended
    assert "ulimit -f" in ended.err
    assert file.read_bytes() == GOOD_FILE


async def test_kill_of_pg_dump_is_named(tmp_path: Path, database_url: str) -> None:
    """As the kernel does when the memory is full."""
    file = tmp_path / "quality.dump"
    async with (
        lock_reports(database_url),
        start_app(tmp_path, "backup", str(file), DATABASE_URL=database_url) as program,
    ):
        (await wait_for_dump(file)).kill()
        killed = await wait_end(program)
    assert (killed.code, "памяти" in killed.err) == (1, True), killed


async def test_file_that_cannot_be_written(tmp_path: Path, database_url: str) -> None:
    for path, words in (
        (tmp_path, "это папка"),
        (Path("/dev/stdout"), "это папка или устройство"),
        (Path("/dev/full"), "это папка или устройство"),
        (tmp_path / "missing" / "file", "в этот файл не записать"),
    ):
        refused = await run_backup(tmp_path, path, DATABASE_URL=database_url)
        assert (refused.code, refused.err.count("\n")) == (2, 1), refused.err
        assert words in refused.err


async def test_link_to_a_file_is_followed(tmp_path: Path, database_url: str) -> None:
    (tmp_path / "other").mkdir()
    file = tmp_path / "other" / "quality.dump"
    (tmp_path / "link").symlink_to(file)
    for _ in range(2):
        assert (await run_backup(tmp_path, tmp_path / "link", DATABASE_URL=database_url)).code == 0
        assert file.read_bytes().startswith(b"PGDMP")
    assert sorted(list_names(tmp_path)) == ["link", "other"]


async def test_empty_database_has_nothing_to_save(tmp_path: Path, postgres_url: str) -> None:
    refused = await run_backup(tmp_path, tmp_path / "quality.dump", DATABASE_URL=postgres_url)
    assert (refused.code, "ещё нет таблиц" in refused.err) == (2, True)
    assert list_names(tmp_path) == []


def test_server_newer_than_the_programs_is_refused_with_both_versions(tmp_path: Path) -> None:
    program = tmp_path / "pg_dump"
    program.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 17.2 (Debian 17.2-1)'\n")
    program.chmod(0o755)
    check_version(DatabaseState("17.9", "public", "base", []), tmp_path)
    check_version(DatabaseState("13.1", "public", "base", []), tmp_path)
    with pytest.raises(BackupError, match=r"Postgres 18\.1.* 17\.2"):
        check_version(DatabaseState("18.1", "public", "base", []), tmp_path)


async def test_progress_on_a_terminal(tmp_path: Path, database_url: str, postgres_url: str) -> None:
    """The bar is drawn while the work goes on, and its last line stays."""
    file = tmp_path / "quality.dump"
    async with lock_reports(database_url):
        drawing = asyncio.create_task(run_on_terminal("backup", file, database_url))
        await wait_for_dump(file)
        await asyncio.sleep(1)  # the bar is drawn five times a second
    assert re.search(r"Копирую базу .* КБ .*0:00:0[1-9]", await drawing)
    assert re.search(
        r"Восстанавливаю базу .* \d+ КБ", await run_on_terminal("restore", file, postgres_url)
    )


async def run_on_terminal(command: str, file: Path, url: str) -> str:
    """Run a command in a new interpreter with a terminal as its output; return what it wrote."""
    ours, theirs = pty.openpty()
    environment = {"DATABASE_URL": url, "PYTHONPATH": str(CHECKOUT), "TERM": "xterm"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", command, str(file)),
        cwd=file.parent,
        env={**environment, "COLUMNS": "120", "LANG": "C.UTF-8"},
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    reader = asyncio.create_task(asyncio.to_thread(read_terminal, ours))
    assert await process.wait() == 0
    return await reader


def read_terminal(descriptor: int) -> str:
    output = b""
    with os.fdopen(descriptor, "rb", buffering=0) as terminal, suppress(OSError):  # EIO: closed
        while chunk := terminal.read(65536):
            output += chunk
    return output.decode()
