"""The service as a process: it serves on its own database, and when it is told to stop nobody is
left without an answer.
"""

import asyncio
import signal
from functools import partial
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from app.database.engine import Database
from app.database.migrate import SchemaTooNewError, get_current_revision, get_head_revision, migrate
from app.sandbox.server import Sandbox
from tests.cli.processes import asked, free_port, run_app, settings_for, started, stop
from tests.database.clusters import list_servers
from tests.stage import until


async def test_sigterm_answers_those_who_wait_and_leaves_nothing_behind(tmp_path: Path) -> None:
    async with Sandbox() as sandbox:
        sandbox.avito.switches.latency_seconds = 0.5
        port = free_port()
        async with (
            started(
                tmp_path, "serve", **settings_for(sandbox, PORT=port, LOG_FORMAT="json")
            ) as process,
            httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{port}",
                headers={"X-API-Key": "key-of-the-cli-tests"},
                timeout=60,
            ) as rest,
        ):
            assert process.stdout
            assert port in (await process.stdout.readline()).decode()
            at_work, in_queue = (
                asyncio.create_task(rest.post("/api/v1/avito/sync")) for _ in range(2)
            )
            await asked(sandbox, 5, process)
            ended = await stop(process, signal.SIGTERM)
            answers = sorted([(await call).json()["message"] for call in (at_work, in_queue)])
    assert ended.code == 0
    assert "Traceback" not in ended.err
    assert answers[0].startswith("Прервано")
    assert answers[1].startswith("Служба останавливается")  # it was in the queue
    assert not [
        secret
        for secret in ("key-of-the-cli-tests", "sandbox-secret-1", "sk-sandbox")
        if secret in ended.err
    ]
    assert list_servers(tmp_path / "var") == []


async def test_sigterm_while_it_starts_ends_it_as_well(tmp_path: Path) -> None:
    async with (
        Sandbox() as sandbox,
        started(tmp_path, "serve", **settings_for(sandbox, PORT=free_port())) as process,
    ):
        await until(partial(asyncio.to_thread, (tmp_path / "var" / "postgres.start.lock").exists))
        ended = await stop(process, signal.SIGTERM)
    assert ended.code == 0
    assert "Traceback" not in ended.err
    assert list_servers(tmp_path / "var") == []


async def test_the_schema_of_a_newer_program_is_not_touched(postgres_url: str) -> None:
    database = Database(postgres_url)
    await migrate(database)
    async with database.transaction() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = 'from the future'"))
    with pytest.raises(SchemaTooNewError, match="from the future"):
        await migrate(database)
    assert await get_current_revision(database) == "from the future"
    await database.close()


async def test_migrate_says_where_the_schema_stands(tmp_path: Path, database_url: str) -> None:
    ended = await run_app(tmp_path, "migrate", DATABASE_URL=database_url)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == f"✓ Схема базы уже свежая: {get_head_revision()}.\n"
