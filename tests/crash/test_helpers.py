"""Two processes grade the chats of one run, and either of them is killed or frozen."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from decimal import Decimal
from functools import partial
from pathlib import Path

import httpx
import pytest_asyncio
from sqlalchemy import text

from app.clock import system_clock
from app.database.engine import Database
from app.sandbox.avito import LocalAvito
from app.sandbox.server import Sandbox
from app.services.run_params import DailyParams
from app.services.runs import submit, wait
from tests.support.service_process import (
    DAY,
    RunningService,
    expire_leases,
    fetch_rows,
    open_rest_client,
    run_service,
)
from tests.support.stage import until

CHATS, IN_FLIGHT = 120, 6


@pytest_asyncio.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(avito=LocalAvito()) as sandbox:
        for number, chat in enumerate(sandbox.avito.add_synthetic_chats(CHATS, 6)):
            for message in chat.messages:  # the same text in many chats would be of a bot
                message.text = f"{message.text} {_spell(number)}"
        sandbox.deepseek.switches.latency_seconds = 0.5
        yield sandbox


def _spell(number: int) -> str:
    return "".join(chr(ord("а") + int(digit)) for digit in f"{number:05}")


class Pair:
    """Two processes of the service, with their REST clients."""

    def __init__(
        self, stack: AsyncExitStack, database_url: str, sandbox: Sandbox, folder: Path
    ) -> None:
        self._stack = stack
        self._start = partial(run_service, database_url, sandbox, folder)
        self.services: list[RunningService] = []
        self.rest: list[httpx.AsyncClient] = []

    async def start(self, **settings: str) -> None:
        service = await self._stack.enter_async_context(self._start(LOG_FORMAT="json", **settings))
        self.services.append(service)
        self.rest.append(await self._stack.enter_async_context(open_rest_client(service)))

    @property
    def logs(self) -> list[str]:
        return [service.log.decode() for service in self.services]


@pytest_asyncio.fixture
async def pair(database_url: str, sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[Pair]:
    async with AsyncExitStack() as stack:
        pair = Pair(stack, database_url, sandbox, tmp_path)
        for _ in range(2):
            await pair.start(
                DEEPSEEK_MAX_CONCURRENCY=str(IN_FLIGHT), STEADINESS_SHARE="0", SETTLE_MINUTES="0"
            )
        assert (await pair.rest[0].post("/api/v1/avito/sync")).status_code == 200
        yield pair


async def wait_for_row(database: Database, sql: str) -> None:
    async def row_exists() -> bool:
        return bool(await fetch_rows(database, sql))

    await until(row_exists)


EXPIRE_HELPER = text("UPDATE run_parts SET lease_until = now() WHERE token <> holder_token")
_HELPED = "SELECT 1 FROM run_parts WHERE token <> holder_token AND graded > 2"
"""A helper has written chats and has others in flight."""


async def wait_until_helped(database: Database, sandbox: Sandbox) -> None:
    await wait_for_row(database, _HELPED)
    sandbox.deepseek.switches.latency_seconds = 0.1


async def assert_graded_once(database: Database, sandbox: Sandbox, *, lost: int = 0) -> None:
    """Each chat has one report; ``lost``: processes that were killed or frozen.

    Their requests go on, and the chats that they had not written are asked for again: those in
    flight and those of a quarter of a second.
    """
    reports = await fetch_rows(database, "SELECT chat_id FROM reports")
    assert len({row["chat_id"] for row in reports}) == len(reports) == CHATS
    assert CHATS <= len(sandbox.deepseek.requests) <= CHATS + lost * 6 * IN_FLIGHT
    assert sandbox.deepseek.traffic.max_in_flight <= (1 + lost) * IN_FLIGHT


async def test_a_second_process_joins_and_the_result_is_the_same(
    database: Database, pair: Pair, sandbox: Sandbox
) -> None:
    call = asyncio.create_task(pair.rest[0].post("/api/v1/llm/analyze"))
    await wait_for_row(database, "SELECT 1 FROM runs WHERE kind = 'analyze' AND state = 'running'")
    helped = "SELECT 1 FROM run_parts WHERE token <> holder_token AND requests > 0"
    await wait_for_row(database, helped)
    await wait_until_helped(database, sandbox)
    runs = (await pair.rest[1].get("/api/v1/runs")).json()
    assert 0 < runs[0]["done"] <= CHATS
    answer = (await call).json()
    figures = ("analyzed_chats", "skipped_chats", "failed_chats", "waiting_chats")
    assert [answer[name] for name in figures] == [CHATS, 0, 0, 0]
    await assert_graded_once(database, sandbox)
    run = (await pair.rest[0].get(f"/api/v1/runs/{runs[0]['id']}")).json()
    assert (run["state"], run["done"], run["total"]) == ("done", CHATS, CHATS)
    assert "help.started" in pair.logs[1]
    assert "help.started" not in pair.logs[0]


async def test_killed_helper(database: Database, pair: Pair, sandbox: Sandbox) -> None:
    call = asyncio.create_task(pair.rest[0].post("/api/v1/llm/analyze"))
    await wait_until_helped(database, sandbox)
    pair.services[1].kill()
    await pair.services[1].program.wait()
    async with database.transaction() as session:  # as after half a minute
        await session.execute(EXPIRE_HELPER)
    answer = (await call).json()
    assert (answer["analyzed_chats"], answer["waiting_chats"]) == (CHATS, 0)
    await assert_graded_once(database, sandbox, lost=1)


async def test_killed_holder_of_a_day(database: Database, pair: Pair, sandbox: Sandbox) -> None:
    """The helper's process continues the run; each chat is graded once, in one mail."""
    run_id = await submit(database, DailyParams(), system_clock, slot=DAY)
    await wait_until_helped(database, sandbox)
    held = [number for number, log in enumerate(pair.logs) if "help.started" not in log]
    pair.services[held[0]].kill()
    await pair.services[held[0]].program.wait()
    await expire_leases(database)
    run = await wait(database, run_id)
    assert run.state == "done", run.message
    await assert_graded_once(database, sandbox, lost=1)
    assert run.figures["analyzed_chats"] == CHATS
    assert await fetch_rows(database, "SELECT 1 FROM reports WHERE digest_id IS NULL") == []
    assert sorted(mail.recipients[0] for mail in sandbox.smtp.messages) == [
        "boss@example.ru",
        "second@example.ru",
    ]


async def test_frozen_helper(database: Database, pair: Pair, sandbox: Sandbox) -> None:
    """It continues after the run has ended, and writes nothing over the others' reports.

    It begins a few more chats before it notices.
    """
    call = asyncio.create_task(pair.rest[0].post("/api/v1/llm/analyze"))
    await wait_until_helped(database, sandbox)
    pair.services[1].program.send_signal(signal.SIGSTOP)
    async with database.transaction() as session:
        await session.execute(EXPIRE_HELPER)
    answer = (await call).json()
    if "заблокированы" in answer["message"]:  # it was frozen in a transaction
        answer = (await pair.rest[0].post("/api/v1/llm/analyze")).json()
    pair.services[1].program.send_signal(signal.SIGCONT)
    assert answer["waiting_chats"] == 0, answer

    async def has_ended() -> bool:
        return "help.ended" in pair.logs[1]

    await until(has_ended)
    await assert_graded_once(database, sandbox, lost=1)


async def test_stopped_helper_writes_its_chats_and_leaves_the_rest(
    database: Database, pair: Pair, sandbox: Sandbox
) -> None:
    call = asyncio.create_task(pair.rest[0].post("/api/v1/llm/analyze"))
    await wait_until_helped(database, sandbox)
    pair.services[1].program.send_signal(signal.SIGTERM)
    assert await pair.services[1].program.wait() == 0
    assert (await call).json()["analyzed_chats"] == CHATS
    await assert_graded_once(database, sandbox)


async def test_stopped_holder_of_a_requested_run(
    database: Database, pair: Pair, sandbox: Sandbox
) -> None:
    """The run ends as interrupted with the helper's chats in its figures."""
    call = asyncio.create_task(pair.rest[0].post("/api/v1/llm/analyze"))
    await wait_until_helped(database, sandbox)
    pair.services[0].program.send_signal(signal.SIGTERM)
    answer = (await call).json()
    assert answer["message"].startswith("Прервано")
    assert await pair.services[0].program.wait() == 0
    graded = await fetch_rows(database, "SELECT 1 FROM reports")
    assert answer["analyzed_chats"] == len(graded) < CHATS
    await pair.rest[1].post("/api/v1/llm/analyze")
    await assert_graded_once(database, sandbox)


async def test_two_processes_stay_within_the_daily_budget(
    database_url: str, database: Database, sandbox: Sandbox, tmp_path: Path
) -> None:
    """The cost of both is at most the budget, and what is left does not cover one more chat."""
    budget = Decimal("0.05")
    async with AsyncExitStack() as stack:
        pair = Pair(stack, database_url, sandbox, tmp_path)
        for _ in range(2):
            await pair.start(
                DEEPSEEK_MAX_CONCURRENCY=str(IN_FLIGHT),
                STEADINESS_SHARE="0",
                DEEPSEEK_DAILY_BUDGET_USD=str(budget),
            )
        await pair.rest[0].post("/api/v1/avito/sync")
        call = asyncio.create_task(pair.rest[0].post("/api/v1/llm/analyze"))
        await wait_until_helped(database, sandbox)
        answer = (await call).json()
    assert "остатка дневного бюджета" in answer["message"]
    assert 0 < answer["waiting_chats"] == CHATS - answer["analyzed_chats"]
    [spent] = await fetch_rows(database, "SELECT sum(cost_usd) AS usd FROM reports")
    assert budget / 2 < spent["usd"] <= budget
