"""``restore`` as a user runs it: an equal database from the file of a backup."""

import asyncio
import signal
import subprocess
from io import BytesIO
from pathlib import Path

import psutil  # type: ignore[import-untyped]
from sqlalchemy import make_url

from app.database.address import parse_address
from app.database.client_environment import build_client_environment
from app.database.cluster import find_programs
from app.database.embedded import embedded_postgres
from app.database.engine import Database
from app.database.migrate import migrate
from app.database.restore import adapt_script
from tests.support.backups import fill, list_names, read_rows, run_backup, run_restore
from tests.support.clusters import fetch_value, get_mode
from tests.support.command_line import run_app, start_app, wait_end
from tests.support.stage import Stage, until


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


async def save_many_rows(stage: Stage, file: Path, url: str) -> None:
    """Write a backup whose restore takes a while."""
    await fill(stage)
    await stage.copy_first_report(20_000)
    assert (await run_backup(file.parent, file, DATABASE_URL=url)).code == 0


async def wait_for_rows(url: str) -> None:
    """Wait until a restore has loaded some rows."""
    loading = (
        "SELECT count(*) FROM pg_stat_progress_copy WHERE datname = current_database()"
        " AND tuples_processed > 100"
    )

    async def is_loading() -> bool:
        return bool(await fetch_value(url, loading))

    await until(is_loading)


async def test_kill_of_a_client_program_is_named(
    stage: Stage, tmp_path: Path, database_url: str, postgres_url: str
) -> None:
    """As the kernel does when the memory is full."""
    file = tmp_path / "quality.dump"
    await save_many_rows(stage, file, database_url)
    for name in ("pg_restore", "psql"):
        async with start_app(tmp_path, "restore", str(file), DATABASE_URL=postgres_url) as program:
            await wait_for_rows(postgres_url)
            for process in psutil.Process().children(recursive=True):
                if process.name() == name:
                    process.kill()
            killed = await wait_end(program)
        assert (killed.code, "памяти" in killed.err) == (1, True), (name, killed)
        assert "осталась пустой" in killed.err


async def test_killed_restore_leaves_the_database_empty(
    stage: Stage, tmp_path: Path, database_url: str, postgres_url: str
) -> None:
    """It is killed while ``psql`` loads rows. The end of its input is not the end of the script."""
    file = tmp_path / "quality.dump"
    await save_many_rows(stage, file, database_url)
    sessions = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid()"
    )

    async def has_left() -> bool:
        return not await fetch_value(postgres_url, sessions)

    async with start_app(tmp_path, "restore", str(file), DATABASE_URL=postgres_url) as program:
        await wait_for_rows(postgres_url)
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
