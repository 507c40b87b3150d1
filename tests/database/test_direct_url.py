"""DATABASE_DIRECT_URL: migrations bypass the pooler, and both addresses lead to one database."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import make_url

from app.adapters import open_database
from app.config import load_settings
from app.database.engine import Database
from app.database.migrate import get_current_revision, get_head_revision
from app.errors import DatabaseRefusedError, DatabaseUnavailableError, SettingsError
from app.sandbox.server import Sandbox
from tests.support.checkout import CHECKOUT
from tests.support.clusters import fetch_value
from tests.support.command_line import make_environment, run_app
from tests.support.network import open_network
from tests.support.stage import on_stage


async def open_with(pooler: str, direct: str, *, migrated: bool = True) -> str | None:
    """Open the database and return its revision."""
    settings = load_settings(_env_file=None, database_url=pooler, database_direct_url=direct)
    async with open_database(settings, migrated=migrated, patience_seconds=0) as database:
        return await get_current_revision(database)


@pytest_asyncio.fixture
async def pooled_url(cluster_url: str, postgres_url: str) -> AsyncIterator[str]:
    """The database for a role that may not create tables, only use those of the owner."""
    await fetch_value(cluster_url, "CREATE ROLE pooled LOGIN PASSWORD 'pooled'")
    grant = "ALTER DEFAULT PRIVILEGES GRANT ALL ON"
    await fetch_value(postgres_url, f"{grant} TABLES TO pooled")
    yield (
        make_url(postgres_url)
        .set(username="pooled", password="pooled")
        .render_as_string(hide_password=False)
    )
    await fetch_value(postgres_url, "DROP OWNED BY pooled")
    await fetch_value(cluster_url, "DROP ROLE pooled")


async def test_migrations_use_the_direct_address(pooled_url: str, postgres_url: str) -> None:
    """Through the other one they fail for lack of rights."""
    with pytest.raises(DatabaseRefusedError, match="permission denied"):
        await open_with(pooled_url, pooled_url)
    assert await open_with(pooled_url, postgres_url) == get_head_revision()


def test_alembic_uses_the_direct_address(pooled_url: str, postgres_url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head"],
        cwd=CHECKOUT,
        env={**os.environ, "DATABASE_URL": pooled_url, "DATABASE_DIRECT_URL": postgres_url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("change", ["database", "schema"])
async def test_another_database_is_not_migrated(
    cluster_url: str, postgres_url: str, change: str
) -> None:
    if change == "schema":
        await fetch_value(postgres_url, "CREATE SCHEMA other")
        direct = f"{postgres_url}&options=-csearch_path%3Dother"
    else:
        direct = cluster_url
    with pytest.raises(DatabaseRefusedError, match=r"^DATABASE_DIRECT_URL: .*DATABASE_URL"):
        await open_with(postgres_url, direct)
    assert await fetch_value(direct.partition("&options")[0], COUNT_TABLES) == 0


COUNT_TABLES = "SELECT count(*) FROM pg_class WHERE relname IN ('alembic_version', 'chats')"


async def test_direct_server_out_of_reach_is_named(postgres_url: str) -> None:
    async with open_network(postgres_url) as network:
        network.refusing = True
        with pytest.raises(DatabaseUnavailableError, match=r"^DATABASE_DIRECT_URL: Postgres"):
            await open_with(postgres_url, network.url)


async def test_direct_address_alone_is_a_wrong_setting(tmp_path: Path) -> None:
    settings = load_settings(
        _env_file=None, database_direct_url="postgresql://host/db", data_dir=tmp_path / "var"
    )
    with pytest.raises(SettingsError, match=r"^DATABASE_URL: не задано"):
        async with open_database(settings):
            pass
    assert not (tmp_path / "var").exists()


async def test_doctor_names_both(tmp_path: Path, postgres_url: str, cluster_url: str) -> None:
    async with Sandbox() as sandbox:
        settings = make_environment(sandbox, DATABASE_URL=postgres_url)
        good = await run_app(tmp_path, "doctor", **settings, DATABASE_DIRECT_URL=postgres_url)
        bad = await run_app(tmp_path, "doctor", **settings, DATABASE_DIRECT_URL=cluster_url)
    [found] = [line for line in good.lines if "отвечает (DATABASE_URL" in line]
    assert "DATABASE_DIRECT_URL" in found
    assert [line for line in bad.lines if line.startswith("✗ DATABASE_DIRECT_URL: ")]


async def test_migrate_command_uses_the_direct_address(
    tmp_path: Path, pooled_url: str, postgres_url: str
) -> None:
    async with Sandbox() as sandbox:
        settings = make_environment(
            sandbox, DATABASE_URL=pooled_url, DATABASE_DIRECT_URL=postgres_url
        )
        ended = await run_app(tmp_path, "migrate", **settings)
    assert (ended.code, ended.err) == (0, "")


async def test_missing_right_to_read_is_named(pooled_url: str, postgres_url: str) -> None:
    await open_with(postgres_url, postgres_url)
    await fetch_value(postgres_url, "REVOKE ALL ON alembic_version FROM pooled")
    with pytest.raises(DatabaseRefusedError, match=r"не дал прочитать схему базы \(permission"):
        await open_with(pooled_url, pooled_url, migrated=False)


async def test_missing_right_of_a_step_is_named_to_the_client(
    pooled_url: str, postgres_url: str
) -> None:
    """The role that migrates has made a table for which the other role has no right."""
    await open_with(postgres_url, postgres_url)
    await fetch_value(postgres_url, "REVOKE INSERT ON messages FROM pooled")
    database = Database(pooled_url)
    async with Sandbox() as sandbox, on_stage(pooled_url, sandbox, pool=database) as stage:
        answer = await stage.rest.post("/api/v1/avito/sync")
    await database.close()
    assert "permission denied for table messages" in answer.json()["message"]
    assert "GRANT" in answer.json()["message"]
