"""A real Prometheus that reads a running service: the rules, and the queries of the dashboard."""

import asyncio
import json
import math
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from app.sandbox.server import Sandbox
from tests.support.command_line import free_port
from tests.support.monitoring import RULES, list_alerts, list_queries
from tests.support.service_process import RunningService, open_rest_client, run_service
from tests.support.slow_sandbox import keep_every_third
from tests.support.stage import until

PROGRAM = "prometheus"
_CONFIG = {"global": {"scrape_interval": "1s", "evaluation_interval": "1s"}}
_SECONDS = 60

Row = tuple[str, str]


def find_program() -> str | None:
    """Return the path of Prometheus; Debian's package is ``prometheus``."""
    return shutil.which(PROGRAM)


@asynccontextmanager
async def start_prometheus(folder: Path, service: str) -> AsyncIterator[httpx.AsyncClient]:
    """Start a Prometheus that reads the service at ``host:port``; yield a client of its API."""
    jobs = [{"job_name": "avito-quality", "static_configs": [{"targets": [service]}]}]
    config = folder / "prometheus.yml"
    # JSON is YAML.
    config.write_text(json.dumps({**_CONFIG, "rule_files": [str(RULES)], "scrape_configs": jobs}))
    program, address = find_program(), f"127.0.0.1:{free_port()}"
    assert program
    with (folder / "prometheus.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            program,
            f"--config.file={config}",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address={address}",
            stdout=log,
            stderr=log,
        )
    try:
        async with httpx.AsyncClient(base_url=f"http://{address}/api/v1", timeout=10) as client:
            await _wait_until_scraped(client)
            yield client
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def _wait_until_scraped(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(_SECONDS):
        while True:
            with suppress(httpx.TransportError):
                if await query(client, "avito_quality_database_up"):
                    return
            await asyncio.sleep(0.2)


async def query(client: httpx.AsyncClient, expression: str) -> list[float]:
    """Return the present values of an expression, one for each series; none that is no number."""
    answer = await client.get("/query", params={"query": expression})
    values = [float(series["value"][1]) for series in answer.json()["data"]["result"]]
    return [value for value in values if not math.isnan(value)]


async def run_trial(database_url: str, folder: Path) -> list[Row]:
    """Return a row for each query of the dashboard, and one for the rules.

    ``database_url``: an empty database.
    """
    async with Sandbox() as sandbox:
        keep_every_third(sandbox)
        settings = {"SCHEDULER_ENABLED": "true", "REPORT_TIME": "00:00"}
        async with (
            run_service(database_url, sandbox, folder, **settings) as service,
            start_prometheus(folder, service.url.removeprefix("http://")) as prometheus,
        ):
            await _work(service, sandbox)
            await asyncio.sleep(3)  # two more scrapes
            rows = [await _try_query(prometheus, *one) for one in list_queries().items()]
            return [*rows, await _try_rules(prometheus)]


async def _work(service: RunningService, sandbox: Sandbox) -> None:
    """Do what each panel shows: a daily run by the schedule, calls, a new chat to grade."""
    async with open_rest_client(service) as rest:

        async def has_ended() -> bool:
            ready = await rest.get("/health/ready")
            return "daily" in ready.json().get("last_runs", {})

        await until(has_ended, _SECONDS)
        chat = next(iter(sandbox.avito.accounts[0].chats.values()))
        sandbox.avito.add_message(chat.id, "company", text="Добрый день! Да, ещё продаётся.")
        for path in ("/avito/sync", "/llm/analyze", "/timer/reports"):
            assert (await rest.post(f"/api/v1{path}")).status_code == 200
        span = {"start_date": "2020-01-01", "end_date": "2099-12-31"}
        for _ in range(10):
            assert (await rest.get("/api/v1/reports", params=span)).status_code == 200


async def _try_query(prometheus: httpx.AsyncClient, title: str, expression: str) -> Row:
    values = await query(prometheus, expression)
    assert values, f"no data: {title}"
    return f"dashboard: {title}", ", ".join(f"{value:.4g}" for value in values[:4])


async def _try_rules(prometheus: httpx.AsyncClient) -> Row:
    groups: list[dict[str, Any]] = (await prometheus.get("/rules")).json()["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    healthy = [rule["name"] for rule in rules if rule["health"] == "ok"]
    firing = [rule["name"] for rule in rules if rule["state"] == "firing"]
    assert (len(healthy), firing) == (len(list_alerts()), [])
    return "alert rules", f"{len(healthy)} evaluated, none firing"
