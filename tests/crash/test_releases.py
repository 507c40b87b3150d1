"""Two releases on one database.

A process of the previous release keeps working after the next one has migrated.
"""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import make_url, text

from app.clock import system_clock
from app.database.engine import Database
from app.sandbox.server import Sandbox
from app.services.run_params import DailyParams
from app.services.runs import submit, wait
from tests.support.checkout import CHECKOUT
from tests.support.clusters import fetch_value
from tests.support.command_line import run_app
from tests.support.patience import PATIENCE
from tests.support.service_process import KEY, run_service, service_environment, wait_until_ready
from tests.support.slow_sandbox import keep_every_third

PREVIOUS_RELEASE = "905062ce7e3dba7d33bdb7ee7e9a1d10dfb6c846"
"""The last commit whose processes may still run during the rollout; update it with each release."""


@pytest.fixture
def previous(tmp_path: Path) -> Path:
    """A checkout of the previous release."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    archived = subprocess.run(  # noqa: S603
        ["git", "archive", PREVIOUS_RELEASE, "app", "migrations", "alembic.ini"],  # noqa: S607
        cwd=CHECKOUT,
        capture_output=True,
        check=False,
    )
    if archived.returncode:
        pytest.skip("the previous release is not in this checkout's history")
    folder = tmp_path / "previous"
    folder.mkdir()
    subprocess.run(["tar", "-x"], cwd=folder, input=archived.stdout, check=True)  # noqa: S607
    return folder


@asynccontextmanager
async def run_previous(previous: Path, database_url: str, sandbox: Sandbox) -> AsyncIterator[str]:
    """Run the previous release's service and yield its address.

    It is stopped at the end and must exit with 0.
    """
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {
        **service_environment(database_url, sandbox, previous),
        "PORT": str(port),
        "PATH": os.environ["PATH"],
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "app",
        "serve",
        cwd=previous,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        await wait_until_ready(url, lambda: process.returncode)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


async def test_process_of_the_previous_release_keeps_working(
    postgres_url: str, previous: Path, tmp_path: Path
) -> None:
    async with Sandbox() as sandbox:
        keep_every_third(sandbox)
        sandbox.deepseek.switches.latency_seconds = sandbox.smtp.switches.latency_seconds = 0
        database = Database(postgres_url)
        try:
            async with run_previous(previous, postgres_url, sandbox) as old:
                await _call(old, "/avito/sync", "/llm/analyze")
                async with run_service(postgres_url, sandbox, tmp_path) as service:
                    await _call(old, "/timer/reports")
                    await _run_day(database, sandbox, "2026-11-20")  # executed by either
                    await _call(service.url, "/avito/sync", "/llm/analyze", "/timer/reports")
                await _run_day(database, sandbox, "2026-11-21")
                await _call(old, "/avito/sync", "/llm/analyze", "/timer/reports")
            async with (
                run_service(postgres_url, sandbox, tmp_path) as service,
                httpx.AsyncClient(headers={"X-API-Key": KEY}, timeout=PATIENCE) as rest,
            ):
                await _run_day(database, sandbox, "2026-11-23")
                for day in ("2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23"):
                    assert (
                        await rest.get(f"{service.url}/api/v1/reports/daily/{day}")
                    ).status_code == 200
            await _assert_mailed_once(database, sandbox)
            await _assert_counted(database)
        finally:
            await database.close()


async def test_process_of_the_previous_release_reads_what_this_one_wrote(
    postgres_url: str, previous: Path, tmp_path: Path
) -> None:
    """All chats of the catalogue: their reports have every flag and critical faults."""
    async with Sandbox() as sandbox:
        sandbox.deepseek.switches.latency_seconds = sandbox.smtp.switches.latency_seconds = 0
        async with (
            run_previous(previous, postgres_url, sandbox) as old,
            httpx.AsyncClient(
                base_url=f"{old}/api/v1", headers={"X-API-Key": KEY}, timeout=PATIENCE
            ) as rest,
        ):
            async with run_service(postgres_url, sandbox, tmp_path) as service:
                await _call(service.url, "/avito/sync", "/llm/analyze", "/timer/reports")
            days = (await rest.get("/reports/daily")).json()
            assert (await rest.get(f"/reports/daily/{days[0]['date']}")).status_code == 200
            period = {"start_date": "2020-01-01", "end_date": "2099-12-31"}
            reports = (await rest.get("/reports", params=period)).json()
            assert len(reports) > 40
            for report in reports:
                answer = await rest.get(f"/reports/{report['id']}")
                assert answer.status_code == 200, answer.text
            body = {"date": days[0]["date"], "resend": True}
            assert (await rest.post("/timer/reports", json=body)).status_code == 200


async def _call(url: str, *paths: str) -> None:
    async with httpx.AsyncClient(
        base_url=url, headers={"X-API-Key": KEY}, timeout=PATIENCE
    ) as rest:
        for path in paths:
            answer = await rest.post(f"/api/v1{path}")
            assert answer.status_code == 200, answer.text
        assert (await rest.get("/health/ready")).status_code == 200


async def _run_day(database: Database, sandbox: Sandbox, day: str) -> None:
    chat = next(iter(sandbox.avito.accounts[0].chats.values()))
    asked_at = system_clock() - timedelta(minutes=40)
    sandbox.avito.add_message(
        chat.id, "client", text=f"Вопрос от {day}: ещё продаётся?", at=asked_at
    )
    run = await wait(database, await submit(database, DailyParams(), system_clock, slot=day))
    assert run.state == "done", run.message


async def _assert_counted(database: Database) -> None:
    """Assert that the reports of both releases have figures."""
    sql = """
        SELECT count(*), count(*) FILTER (WHERE reports.score = report_figures.score)
        FROM reports FULL JOIN report_figures ON report_id = reports.id
    """
    async with database.session() as session:
        reports, counted = (await session.execute(text(sql))).one()
    assert reports == counted > 0


async def _assert_mailed_once(database: Database, sandbox: Sandbox) -> None:
    async with database.session() as session:
        unmailed = await session.scalar(
            text("SELECT count(*) FROM reports WHERE digest_id IS NULL")
        )
        unfinished = await session.scalar(
            text("SELECT count(*) FROM runs WHERE state IN ('queued', 'running')")
        )
        mails = int(await session.scalar(text("SELECT count(*) FROM digests")) or 0)
    assert (unmailed, unfinished) == (0, 0)
    copies = Counter(
        line
        for mail in sandbox.smtp.messages
        for line in mail.data.splitlines()
        if line.startswith(b"Message-ID")
    )
    assert (len(copies), set(copies.values())) == (2 * mails, {1})


async def test_upgrade_and_both_ways_back(
    postgres_url: str, cluster_url: str, previous: Path, tmp_path: Path
) -> None:
    """The steps of docs/operations.md: a backup, the upgrade, then downgrade or restore."""
    file, settings = str(tmp_path / "before.dump"), {"DATABASE_URL": postgres_url}
    restored = make_url(cluster_url).set(database="restored").render_as_string(hide_password=False)
    await fetch_value(cluster_url, "CREATE DATABASE restored")
    database = Database(postgres_url)
    try:
        async with Sandbox() as sandbox:
            keep_every_third(sandbox)
            sandbox.deepseek.switches.latency_seconds = sandbox.smtp.switches.latency_seconds = 0
            async with run_previous(previous, postgres_url, sandbox) as old:
                await _call(old, "/avito/sync", "/llm/analyze", "/timer/reports")
            assert (await run_app(tmp_path, "backup", file, **settings)).code == 0
            async with run_service(postgres_url, sandbox, tmp_path) as service:
                await _run_day(database, sandbox, "2026-11-21")
                await _call(service.url, "/avito/sync", "/llm/analyze")
            _downgrade(postgres_url, max((previous / "migrations" / "versions").glob("0*.py")))
            async with run_previous(previous, postgres_url, sandbox) as old:
                await _call(old, "/avito/sync", "/llm/analyze", "/timer/reports")
            await _assert_mailed_once(database, sandbox)
            assert (await run_app(tmp_path, "restore", file, DATABASE_URL=restored)).code == 0
            async with run_previous(previous, restored, sandbox) as old:
                await _call(old, "/avito/sync", "/llm/analyze", "/timer/reports")
    finally:
        await database.close()
        await fetch_value(cluster_url, "DROP DATABASE restored WITH (FORCE)")


def _downgrade(database_url: str, migration: Path) -> None:
    revision = migration.name.partition("_")[0]
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "alembic", "downgrade", revision],
        cwd=CHECKOUT,
        env={"DATABASE_URL": database_url, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
