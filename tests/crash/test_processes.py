"""``serve`` with WEB_CONCURRENCY=2: two processes on one port under a supervisor."""

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest
import pytest_asyncio

from app.clock import system_clock
from app.database.engine import Database
from app.sandbox.server import Sandbox
from app.services.run_params import DailyParams
from app.services.runs import submit, wait
from tests.support.clusters import list_servers
from tests.support.command_line import free_port, run_app
from tests.support.patience import PATIENCE
from tests.support.service_process import (
    DAY,
    RunningService,
    expire_leases,
    fetch_rows,
    open_rest_client,
    run_service,
    service_environment,
)
from tests.support.slow_sandbox import keep_every_third
from tests.support.stage import until


@pytest_asyncio.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as sandbox:
        keep_every_third(sandbox)
        sandbox.avito.switches.latency_seconds = sandbox.smtp.switches.latency_seconds = 0
        yield sandbox


@asynccontextmanager
async def run_processes(
    database_url: str, sandbox: Sandbox, folder: Path, **settings: str
) -> AsyncIterator[RunningService]:
    settings = {"WEB_CONCURRENCY": "2", "LOG_FORMAT": "json", **settings}
    async with run_service(database_url, sandbox, folder, **settings) as service:
        await wait_for_event(service, "serve.listening", 2)
        yield service


def list_events(service: RunningService, event: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in service.log.decode().splitlines()]
    return [line for line in lines if line["event"] == event]


def is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


async def wait_for_event(service: RunningService, event: str, count: int) -> None:
    async def is_logged() -> bool:
        return len(list_events(service, event)) >= count

    await until(is_logged)


def get_pids(service: RunningService) -> dict[int, int]:
    """Return the newest process by its number."""
    started = list_events(service, "serve.process_started")
    return {line["process"]: line["pid"] for line in started}


async def test_one_day_by_two_processes(
    database: Database, database_url: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Both serve the port; scheduled runs exist once, and a killed process is replaced."""
    environment = {"SCHEDULER_ENABLED": "true", "REPORT_TIME": "00:00"}
    async with (
        run_processes(database_url, sandbox, tmp_path, **environment) as service,
        open_rest_client(service) as rest,
    ):
        pids = get_pids(service)
        assert set(pids) == {1, 2}

        async def is_mailed() -> bool:
            return len(sandbox.smtp.messages) >= 2

        await until(is_mailed)
        os.kill(pids[2], signal.SIGKILL)
        await wait_for_event(service, "serve.listening", 3)
        assert get_pids(service)[2] != pids[2]
        answers = await asyncio.gather(*(rest.get("/health/ready") for _ in range(20)))
        assert {answer.status_code for answer in answers} == {200}
        slots = Counter(
            (row["kind"], row["slot"])
            for row in await fetch_rows(database, "SELECT kind, slot FROM runs WHERE slot > ''")
        )
        assert set(slots.values()) == {1}
        assert len([kind for kind, _ in slots if kind == "daily"]) == 1
        service.program.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(service.program.wait(), PATIENCE) == 0
    assert not any(is_alive(pid) for pid in get_pids(service).values())
    assert Counter(mail.recipients[0] for mail in sandbox.smtp.messages) == {
        "boss@example.ru": 1,
        "second@example.ru": 1,
    }
    ended = list_events(service, "serve.process_ended")
    assert [(line["process"], line["code"]) for line in ended] == [(2, -signal.SIGKILL)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_stop_with_the_embedded_postgres(
    sandbox: Sandbox, tmp_path: Path, number: signal.Signals
) -> None:
    """One server for both processes, which is stopped with them."""
    async with run_processes("", sandbox, tmp_path) as service, open_rest_client(service) as rest:
        assert (await rest.post("/api/v1/avito/sync")).status_code == 200
        postmasters = [
            server for server in list_servers(tmp_path) if server.parent().name() != "postgres"
        ]
        assert len(postmasters) == 1
        service.program.send_signal(number)
        assert await asyncio.wait_for(service.program.wait(), PATIENCE) == 0
    assert list_servers(tmp_path) == []


async def test_processes_end_with_the_supervisor(
    database: Database, database_url: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    async with run_processes(database_url, sandbox, tmp_path) as service:
        pids = get_pids(service).values()
        service.kill()

        async def have_ended() -> bool:
            return not any(is_alive(pid) for pid in pids)

        await until(have_ended)


async def test_metrics_sum_up_both_processes(
    database: Database, database_url: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    """A new connection for each request, so that both processes answer."""
    async with run_processes(database_url, sandbox, tmp_path) as service:
        for _ in range(30):
            async with open_rest_client(service) as rest:
                await rest.get("/health/live")
        counts = set()
        for _ in range(5):
            async with open_rest_client(service) as rest:
                text = (await rest.get("/metrics")).text
            counts.add(read_count(text, "/health/live"))
    assert counts == {30}


def read_count(text: str, route: str) -> float:
    lines = [
        line
        for line in text.splitlines()
        if "request" in line and "_count{" in line and f'"{route}"' in line
    ]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


async def test_wrong_setting_is_reported_once(
    database_url: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    environment = {
        **service_environment(database_url, sandbox, tmp_path),
        "WEB_CONCURRENCY": "2",
        "PORT": free_port(),
        "RUBRIC_FILE": str(tmp_path / "missing.json"),
    }
    ended = await run_app(tmp_path, "serve", **environment)
    assert ended.code == 2
    assert ended.err.count("RUBRIC_FILE") == 1


async def test_run_of_two_processes_has_one_result(
    database: Database, database_url: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    """A kill of either process during the day changes nothing but the time."""
    async with run_processes(database_url, sandbox, tmp_path) as service:
        run_id = await submit(database, DailyParams(), system_clock, slot=DAY)

        async def has_report() -> bool:
            return bool(await fetch_rows(database, "SELECT 1 FROM reports LIMIT 1"))

        await until(has_report)
        os.kill(get_pids(service)[1], signal.SIGKILL)
        await expire_leases(database)
        run = await wait(database, run_id)
        assert run.state == "done", run.message
    reports = await fetch_rows(database, "SELECT chat_id FROM reports")
    assert set(Counter(row["chat_id"] for row in reports).values()) == {1}
    assert len({mail.data for mail in sandbox.smtp.messages}) == 2
