"""``backup`` and ``restore`` as a user runs them: one file that holds the whole database."""

import asyncio
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from io import BytesIO
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
from sqlalchemy import make_url

from app.database.address import parse_address
from app.database.client_environment import build_client_environment
from app.database.client_programs import BackupError
from app.database.cluster import find_programs
from app.database.dump import DatabaseState, check_version
from app.database.embedded import embedded_postgres
from app.database.engine import Database
from app.database.migrate import migrate
from app.database.restore import adapt_script
from tests.support.backups import read_rows
from tests.support.checkout import CHECKOUT
from tests.support.clusters import fetch_value, get_mode
from tests.support.command_line import ProcessResult, run_app, start_app, stop, wait_end
from tests.support.small_disk import run_on_small_disk
from tests.support.stage import BAD_TALK, GOOD_TALK, Stage, until

GOOD_FILE = b"an earlier backup"


async def fill(stage: Stage) -> None:
    """Fill every kind of table: chats, messages, reports, a mail and its deliveries."""
    stage.add_talk(*GOOD_TALK)
    stage.add_talk(*BAD_TALK, title="Шкаф public.chats; DROP TABLE\\", client="Пётр\tИванов")
    await stage.sync()
    await stage.analyze()
    await stage.mail()


def list_names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def run_backup(folder: Path, file: Path, **settings: str) -> ProcessResult:
    return await run_app(folder, "backup", str(file), **settings)


async def run_restore(folder: Path, file: Path, **settings: str) -> ProcessResult:
    return await run_app(folder, "restore", str(file), **settings)


async def test_restored_database_equals_the_original(
    stage: Stage, tmp_path: Path, database_url: str, postgres_url: str
) -> None:
    """An external database to a file, to another external database."""
    await fill(stage)
    file = tmp_path / "quality.dump"
    saved = await run_backup(tmp_path, file, DATABASE_URL=database_url)
    assert (saved.code, saved.err) == (0, "")
    assert f"Копия готова: {file}" in saved.out
    assert (get_mode(file), list_names(tmp_path)) == ("0o600", [file.name])
    restored = await run_restore(tmp_path, file, DATABASE_URL=postgres_url)
    assert (restored.code, restored.err) == (0, "")
    assert await read_rows(postgres_url) == await read_rows(database_url)
    checked = await run_app(tmp_path, "doctor", DATABASE_URL=postgres_url)
    assert "✓ База: схема свежая" in checked.out
    assert "✗ База" not in checked.out


async def test_move_from_the_embedded_server_to_an_external_one_and_back(
    stage: Stage, tmp_path: Path, database_url: str, postgres_url: str
) -> None:
    """The embedded server is stopped at first, and then started by another process."""
    await fill(stage)
    original = await read_rows(database_url)
    first, second = tmp_path / "first.dump", tmp_path / "second.dump"
    embedded = {"DATA_DIR": str(tmp_path / "var")}
    assert (await run_backup(tmp_path, first, DATABASE_URL=database_url)).code == 0
    assert (await run_restore(tmp_path, first, **embedded)).code == 0
    async with embedded_postgres(tmp_path / "var", durable=False) as url:
        assert await read_rows(url) == original
        assert (await run_backup(tmp_path, second, **embedded)).code == 0
        refused = await run_restore(tmp_path, first, **embedded)
    assert refused.code == 2
    assert f"переименуйте папку {tmp_path}/var/postgres" in refused.err
    assert (await run_restore(tmp_path, second, DATABASE_URL=postgres_url)).code == 0
    assert await read_rows(postgres_url) == original


async def test_database_with_tables_is_not_overwritten(
    tmp_path: Path, database_url: str, postgres_url: str
) -> None:
    file = tmp_path / "quality.dump"
    assert (await run_backup(tmp_path, file, DATABASE_URL=database_url)).code == 0
    await fetch_value(postgres_url, "CREATE TABLE other_program (id int)")
    refused = await run_restore(tmp_path, file, DATABASE_URL=postgres_url)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("avito-quality: restore пишет только в пустую базу")
    assert refused.err.count("\n") == 1
    assert await fetch_value(postgres_url, "SELECT to_regclass('chats')") is None


async def test_restore_into_a_schema_of_its_own(
    stage: Stage, tmp_path: Path, database_url: str, cluster_url: str, postgres_url: str
) -> None:
    """The role has no rights on ``public``. Its tables are in the first schema of its path."""
    await fill(stage)
    file = tmp_path / "quality.dump"
    assert (await run_backup(tmp_path, file, DATABASE_URL=database_url)).code == 0
    secret = "p@ss/w%rd:'1"
    await fetch_value(cluster_url, "CREATE ROLE quality LOGIN PASSWORD 'p@ss/w%rd:''1'")
    try:
        await fetch_value(postgres_url, "CREATE SCHEMA quality AUTHORIZATION quality")
        own = make_url(postgres_url).set(username="quality", password=secret)
        url = own.render_as_string(hide_password=False)
        restored = await run_restore(tmp_path, file, DATABASE_URL=url)
        assert (restored.code, restored.err) == (0, "")
        assert await read_rows(url) == await read_rows(database_url)
        again = tmp_path / "again.dump"
        assert (await run_backup(tmp_path, again, DATABASE_URL=url)).code == 0
    finally:
        await fetch_value(postgres_url, "DROP OWNED BY quality")
        await fetch_value(cluster_url, "DROP ROLE quality")


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


async def test_killed_restore_leaves_the_database_empty(
    stage: Stage, tmp_path: Path, database_url: str, postgres_url: str
) -> None:
    """It is killed while ``psql`` loads rows. The end of its input is not the end of the script."""
    await fill(stage)
    await stage.copy_first_report(20_000)
    file = tmp_path / "quality.dump"
    assert (await run_backup(tmp_path, file, DATABASE_URL=database_url)).code == 0
    loading = (
        "SELECT count(*) FROM pg_stat_progress_copy WHERE datname = current_database()"
        " AND tuples_processed > 100"
    )
    sessions = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid()"
    )

    async def is_loading() -> bool:
        return bool(await fetch_value(postgres_url, loading))

    async def has_left() -> bool:
        return not await fetch_value(postgres_url, sessions)

    async with start_app(tmp_path, "restore", str(file), DATABASE_URL=postgres_url) as program:
        await until(is_loading)
        program.send_signal(signal.SIGKILL)
        await wait_end(program)
    await until(has_left)
    assert await fetch_value(postgres_url, "SELECT to_regclass('alembic_version')") is None
    assert (await run_restore(tmp_path, file, DATABASE_URL=postgres_url)).code == 0
    assert await read_rows(postgres_url) == await read_rows(database_url)


async def test_files_that_are_no_backup(
    tmp_path: Path, database_url: str, postgres_url: str
) -> None:
    """Each is refused in one line, and the database stays empty."""
    file = tmp_path / "quality.dump"
    assert (await run_backup(tmp_path, file, DATABASE_URL=database_url)).code == 0
    (tmp_path / "cut.dump").write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    (tmp_path / "text.dump").write_text("SELECT 1;")
    await fetch_value(postgres_url, "CREATE DOMAIN other AS int")
    for name, code, words in (
        ("cut.dump", 1, "повреждена"),
        ("text.dump", 1, "это не копия"),
        ("missing.dump", 2, "файл не читается"),
        (".", 2, "файл не читается"),
    ):
        refused = await run_restore(tmp_path, tmp_path / name, DATABASE_URL=postgres_url)
        assert (refused.code, refused.err.count("\n")) == (code, 1), refused.err
        assert words in refused.err
    assert await fetch_value(postgres_url, "SELECT to_regclass('alembic_version')") is None


def dump_by_hand(url: str, file: Path) -> None:
    subprocess.run(  # noqa: S603 - Postgres's own program
        [find_programs() / "pg_dump", "--format=custom", "--file", file],
        env=build_client_environment(parse_address(url)),
        check=True,
    )


async def test_file_of_pg_dump_is_restored(
    stage: Stage, tmp_path: Path, database_url: str, postgres_url: str
) -> None:
    """It has the whole database: owners, rights and comments of schemas too."""
    await fill(stage)
    file = tmp_path / "quality.dump"
    await asyncio.to_thread(dump_by_hand, database_url, file)
    assert (await run_restore(tmp_path, file, DATABASE_URL=postgres_url)).code == 0
    assert await read_rows(postgres_url) == await read_rows(database_url)


async def test_backup_of_a_newer_release_is_refused(
    tmp_path: Path, database_url: str, postgres_url: str, cluster_url: str
) -> None:
    file, newer = tmp_path / "quality.dump", tmp_path / "newer.dump"
    settings = {"DATABASE_URL": postgres_url}
    assert (await run_backup(tmp_path, file, DATABASE_URL=database_url)).code == 0
    assert (await run_restore(tmp_path, file, **settings)).code == 0
    await fetch_value(postgres_url, "UPDATE alembic_version SET version_num = '9999'")
    assert (await run_backup(tmp_path, newer, **settings)).code == 0
    await fetch_value(cluster_url, "CREATE DATABASE older_program")
    try:
        target = make_url(cluster_url).set(database="older_program")
        url = target.render_as_string(hide_password=False)
        refused = await run_restore(tmp_path, newer, DATABASE_URL=url)
    finally:
        await fetch_value(cluster_url, "DROP DATABASE older_program")
    assert refused.code == 1
    assert "более новая версия программы (схема 9999)" in refused.err


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


async def test_backup_of_an_older_release_is_migrated_after_the_restore(
    tmp_path: Path, postgres_url: str, cluster_url: str
) -> None:
    """The first schema has leases of runs and no claims of deliveries."""
    old = Database(postgres_url)
    await migrate(old, "0001")
    await old.close()
    await fetch_value(
        postgres_url,
        "INSERT INTO runs (kind, state, params, created_at, lease_until)"
        " VALUES ('sync', 'running', '{}', now(), now() + interval '1 hour')",
    )
    file = tmp_path / "quality.dump"
    assert (await run_backup(tmp_path, file, DATABASE_URL=postgres_url)).code == 0
    await fetch_value(cluster_url, "CREATE DATABASE upgraded")
    try:
        url = make_url(cluster_url).set(database="upgraded").render_as_string(hide_password=False)
        assert (await run_restore(tmp_path, file, DATABASE_URL=url)).code == 0
        assert await fetch_value(url, "SELECT lease_until <= now() FROM runs")
        assert (await run_app(tmp_path, "migrate", DATABASE_URL=url)).code == 0
    finally:
        await fetch_value(cluster_url, "DROP DATABASE upgraded WITH (FORCE)")


def test_script_is_adapted_to_older_servers_and_to_the_schema() -> None:
    """Rows may contain the text of a statement."""
    rows = b"1\tSET transaction_timeout = 0; public.chats\nCOPY public.x FROM stdin;\n\\.\n"
    script = (
        b"SET statement_timeout = 0;\nSET transaction_timeout = 0;\n"
        b"CREATE TABLE public.chats (public_id int, x text DEFAULT my_public.f());\n"
        b"COPY public.chats (id, title) FROM stdin;\n" + rows + b"ALTER TABLE public.chats;\n"
    )
    adapted = b"".join(adapt_script(BytesIO(script), "public", '"my\\1"'))
    assert adapted == (
        b"SET statement_timeout = 0;\n"
        b'CREATE TABLE "my\\1".chats (public_id int, x text DEFAULT my_public.f());\n'
        b'COPY "my\\1".chats (id, title) FROM stdin;\n' + rows + b'ALTER TABLE "my\\1".chats;\n'
    )


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
