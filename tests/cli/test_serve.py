"""The service as a process: its own database, and an orderly stop that answers every request."""

import asyncio
import json
import signal
from functools import partial
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from app.database.engine import Database
from app.database.migrate import SchemaTooNewError, get_current_revision, get_head_revision, migrate
from app.sandbox.server import Sandbox
from tests.support.clusters import list_servers
from tests.support.command_line import (
    free_port,
    make_environment,
    run_app,
    start_app,
    stop,
    wait_for_requests,
)
from tests.support.patience import PATIENCE
from tests.support.stage import until


async def test_sigterm_answers_open_requests_and_stops_postgres(tmp_path: Path) -> None:
    async with Sandbox() as sandbox:
        sandbox.avito.switches.latency_seconds = 0.5
        port = free_port()
        async with (
            start_app(
                tmp_path, "serve", **make_environment(sandbox, PORT=port, LOG_FORMAT="json")
            ) as process,
            httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{port}",
                headers={"X-API-Key": "key-of-the-cli-tests"},
                timeout=PATIENCE,
            ) as rest,
        ):
            assert process.stdout
            assert port in (await process.stdout.readline()).decode()
            running, queued = (
                asyncio.create_task(rest.post("/api/v1/avito/sync")) for _ in range(2)
            )
            await wait_for_requests(sandbox, 5, process)
            ended = await stop(process, signal.SIGTERM)
            answers = sorted([(await call).json()["message"] for call in (running, queued)])
    assert ended.code == 0
    assert "Traceback" not in ended.err
    assert answers[0].startswith("Прервано")
    assert answers[1].startswith("Служба останавливается")  # the queued run
    logged = [json.loads(line) for line in ended.err.splitlines()]
    interrupted = [line for line in logged if line["event"] == "run.interrupted"]
    [started] = [line["run"] for line in logged if line["event"] == "run.started"]
    assert [(line["run"], line["state"]) for line in interrupted] == [(started, "interrupted")]
    requests = [line for line in logged if line["event"] == "rest.request"]
    assert [(line["path"], line["status"]) for line in requests] == [
        ("/api/v1/avito/sync", 500)
    ] * 2
    assert not [
        secret
        for secret in ("key-of-the-cli-tests", "sandbox-secret-1", "sk-sandbox")
        if secret in ended.err
    ]
    assert list_servers(tmp_path / "var") == []


async def test_sigterm_during_the_start_ends_the_service(tmp_path: Path) -> None:
    async with (
        Sandbox() as sandbox,
        start_app(tmp_path, "serve", **make_environment(sandbox, PORT=free_port())) as process,
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


async def test_migrate_prints_the_revision(tmp_path: Path, database_url: str) -> None:
    ended = await run_app(tmp_path, "migrate", DATABASE_URL=database_url)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == f"✓ Схема базы уже свежая: {get_head_revision()}.\n"
