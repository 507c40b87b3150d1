"""REST during a database outage: every call gets a response, and the service recovers."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from app.database.connection import Limits
from app.database.engine import Database
from app.sandbox.avito import LocalAvito
from app.sandbox.server import Sandbox
from tests.support.network import Network, open_network
from tests.support.stage import GOOD_TALK, Stage, on_stage, until

SECONDS = 60
"""Time after which a call counts as hung."""


@pytest_asyncio.fixture
async def network(database_url: str) -> AsyncIterator[Network]:
    async with open_network(database_url) as network:
        yield network


@pytest_asyncio.fixture
async def stage(network: Network, database_url: str) -> AsyncIterator[Stage]:
    limits = Limits(statement=1, lock=1, margin=0.5)
    pool = Database(network.url, limits=limits, patient_limits=limits, connect_seconds=1)
    async with (
        Sandbox(avito=LocalAvito()) as sandbox,
        on_stage(database_url, sandbox, pool=pool) as stage,
    ):
        stage.add_talk(*GOOD_TALK)
        await stage.sync()
        await stage.analyze()
        yield stage
        network.heal()
    await pool.close()


async def test_every_call_gets_a_response_during_a_network_outage(
    stage: Stage, network: Network
) -> None:
    network.blackhole()

    async def assert_refused(method: str, path: str) -> None:
        answer = await stage.rest.request(method, f"/api/v1{path}")
        assert (answer.status_code, answer.json()["status"]) == (500, "error"), path
        assert "DATABASE_URL: Postgres недоступен" in answer.json()["message"]

    async with asyncio.timeout(SECONDS):
        ready = await stage.rest.get("/health/ready")
        assert (ready.status_code, ready.json()["database"]) == (503, "unreachable")
        assert "avito_quality_database_up 0.0" in (await stage.rest.get("/metrics")).text
        await asyncio.gather(
            *(
                assert_refused("POST", path)
                for path in ("/avito/sync", "/llm/analyze", "/timer/reports")
            )
        )
        period = "start_date=2020-01-01&end_date=2099-12-31"
        paths = (
            f"/reports?{period}",
            f"/reports/summary?{period}",
            "/reports/1",
            "/runs",
            "/runs/1",
            "/chats/1",
        )
        await asyncio.gather(*(assert_refused("GET", path) for path in paths))


async def list_invalid_requests(stage: Stage) -> list[tuple[str, str, Any]]:
    """Return requests with one invalid parameter, for every parameter that can be invalid.

    A parameter that accepts any text is left out. ``mail`` makes the lists of reports ask the
    database for the mail that covers a date.
    """
    document = (await stage.rest.get("/openapi.json")).json()
    requests: list[tuple[str, str, Any]] = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            names = {parameter["name"] for parameter in operation.get("parameters", ())}
            whole = f"{path}?mail=2026-11-22" if "mail" in names else f"{path}?"
            for parameter in operation.get("parameters", ()):
                name, schema = parameter["name"], parameter["schema"]
                if parameter["in"] == "path" and "pattern" not in schema:
                    requests.append((method, path.replace(f"{{{name}}}", "x"), None))
                elif parameter["in"] == "query" and (
                    name == "cursor" or schema.keys() & {"format", "enum", "items", "minimum"}
                ):
                    start = path if name == "mail" else whole
                    requests.append(
                        (method, f"{start}{'&' if start == whole else '?'}{name}=x", None)
                    )
            if "requestBody" in operation:
                requests.append((method, path.replace("{report_id}", "1"), {"unknown": 1}))
    return requests


async def test_invalid_parameter_is_named_during_an_outage(stage: Stage, network: Network) -> None:
    """Parameters are validated before a connection is requested."""
    requests = await list_invalid_requests(stage)
    assert len(requests) > 20
    network.blackhole()
    await stage.service.database.close()  # a pooled connection fails only when it is used

    async def find_status(method: str, address: str, body: Any) -> tuple[str, str, int]:
        answer = await stage.rest.request(method, address, json=body)
        return method, address, answer.status_code

    async with asyncio.timeout(SECONDS):
        found = await asyncio.gather(*(find_status(*request) for request in requests))
    assert [answer for answer in found if answer[2] != 400] == []


async def test_service_recovers_with_the_network(stage: Stage, network: Network) -> None:
    """The connections of the worker and the pool are lost; nothing waits for them."""
    network.blackhole()
    assert (await stage.rest.get("/health/ready")).status_code == 503
    network.heal()

    async def is_ready() -> bool:
        return (await stage.rest.get("/health/ready")).status_code == 200

    await until(is_ready)
    chat = stage.add_talk(*GOOD_TALK)
    async with asyncio.timeout(SECONDS):
        assert (await stage.sync())["new_chats"] == 1
        assert (await stage.analyze())["analyzed_chats"] == 1
        assert {report["chat_id"] for report in await stage.reports()} >= {chat.id}


async def test_step_with_silent_connections_is_released(stage: Stage, network: Network) -> None:
    stage.avito.switches.latency_seconds = 0.5
    for _ in range(3):
        stage.add_talk(*GOOD_TALK)
    call = asyncio.create_task(stage.rest.post("/api/v1/avito/sync"))
    await asyncio.sleep(0.7)
    network.blackhole()
    await asyncio.sleep(1)
    network.heal()
    stage.avito.switches.latency_seconds = 0
    async with asyncio.timeout(2 * SECONDS):
        answer = await call
        if answer.status_code != 200:  # interrupted; finished work is kept
            assert "Сделанное сохранено" in answer.json()["message"]

            async def is_synced() -> bool:  # the limits are tight for a busy machine
                return (await stage.rest.post("/api/v1/avito/sync")).status_code == 200

            await until(is_synced)
    assert len(await stage.rows("SELECT 1 FROM chats WHERE NOT messages_due")) == 4
