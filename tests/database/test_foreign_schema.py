"""Databases that another program uses, and encodings that cannot hold every text."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import make_url

from app.database.engine import Database
from app.database.migrate import (
    ForeignSchemaError,
    get_current_revision,
    get_head_revision,
    migrate,
)
from app.sandbox.server import Sandbox
from tests.support.checkout import CHECKOUT
from tests.support.clusters import fetch_value
from tests.support.command_line import free_port, make_environment, run_app, start_app, stop

FOREIGN_TABLE = "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)"
COMMANDS = ("serve", "migrate", "sync", "analyze", "report", "doctor")


async def insert_revision(url: str, revision: str) -> None:
    await fetch_value(url, f"INSERT INTO alembic_version VALUES ('{revision}')")  # noqa: S608


async def read_foreign_rows(url: str) -> str:
    return str(
        await fetch_value(
            url, "SELECT string_agg(version_num, ',' ORDER BY 1) FROM public.alembic_version"
        )
    )


async def count_tables(url: str) -> int:
    return int(
        await fetch_value(
            url,
            "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind = 'r'",
        )
    )


@pytest.mark.parametrize("revisions", ["ae1027a6acf", "0003", "0014", "a1,b2"])
async def test_revision_of_another_program_is_recognised(postgres_url: str, revisions: str) -> None:
    await fetch_value(postgres_url, FOREIGN_TABLE)
    for revision in revisions.split(","):
        await insert_revision(postgres_url, revision)
    database = Database(postgres_url)
    for attempt in (migrate, get_current_revision):
        with pytest.raises(
            ForeignSchemaError, match=r"другой программы \(alembic_version"
        ) as caught:
            await attempt(database)
        assert "search_path" in caught.value.message
    await database.close()
    assert (await read_foreign_rows(postgres_url), await count_tables(postgres_url)) == (
        revisions,
        1,
    )


async def test_own_schema_beside_another_program(postgres_url: str) -> None:
    await fetch_value(postgres_url, FOREIGN_TABLE)
    await insert_revision(postgres_url, "ae1027a6acf")
    await fetch_value(postgres_url, "CREATE SCHEMA quality")
    database = Database(f"{postgres_url}&options=-csearch_path%3Dquality")
    await migrate(database)
    assert await get_current_revision(database) == get_head_revision()
    await database.close()
    assert (await read_foreign_rows(postgres_url), await count_tables(postgres_url)) == (
        "ae1027a6acf",
        1,
    )


@pytest.mark.parametrize("command", ["serve", "migrate", "sync", "doctor"])
async def test_commands_name_the_other_program(
    tmp_path: Path, postgres_url: str, command: str
) -> None:
    await fetch_value(postgres_url, FOREIGN_TABLE)
    await insert_revision(postgres_url, "ae1027a6acf")
    code, output = await run_on(tmp_path, command, postgres_url)
    assert code != 0
    assert "в ней таблицы другой программы (alembic_version ae1027a6acf)" in output
    assert "внутренняя ошибка" not in output
    assert await count_tables(postgres_url) == 1


@pytest_asyncio.fixture(params=["LATIN1", "SQL_ASCII"])
async def other_encoding(
    request: pytest.FixtureRequest, cluster_url: str
) -> AsyncIterator[tuple[str, str]]:
    name = f"encoded_{request.param.lower()}"
    await fetch_value(
        cluster_url,
        f"CREATE DATABASE {name} ENCODING '{request.param}' TEMPLATE template0 LOCALE 'C'"
        " LOCALE_PROVIDER libc",
    )
    yield (
        request.param,
        make_url(cluster_url).set(database=name).render_as_string(hide_password=False),
    )
    await fetch_value(cluster_url, f"DROP DATABASE {name} WITH (FORCE)")


async def test_every_command_refuses_another_encoding(
    tmp_path: Path, other_encoding: tuple[str, str]
) -> None:
    encoding, url = other_encoding
    for command in COMMANDS:
        code, output = await run_on(tmp_path, command, url)
        assert code != 0, command
        assert f"DATABASE_URL: Postgres: кодировка базы {encoding}, а нужна UTF8" in output, command
    assert await count_tables(url) == 0


def test_alembic_refuses_another_encoding(other_encoding: tuple[str, str]) -> None:
    encoding, url = other_encoding
    done = subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head"],
        cwd=CHECKOUT,
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert f"кодировка базы {encoding}" in done.stderr


async def run_on(folder: Path, command: str, url: str) -> tuple[int, str]:
    """Run a command on a database; return its exit code and its whole output."""
    async with Sandbox() as sandbox:
        settings = make_environment(sandbox, DATABASE_URL=url, PORT=free_port())
        if command != "serve":
            ended = await run_app(folder, command, **settings)
        else:
            async with start_app(folder, command, **settings) as program:
                await program.wait()
                ended = await stop(program, signal.SIGTERM)
    return ended.code, ended.out + ended.err
