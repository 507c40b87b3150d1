"""A worker helps with the grading run of another process. ``tests/crash`` has the kills."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from app.database.engine import Database
from app.sandbox.avito import LocalAvito
from app.sandbox.server import Sandbox
from app.services.run_params import AnalyzeParams
from app.services.runs import submit, wait
from tests.support.stage import GOOD_TALK, Stage, on_stage, until

CHATS, IN_FLIGHT = 60, 4
HELPED = "SELECT 1 FROM run_parts WHERE token <> holder_token"


@pytest_asyncio.fixture
async def pair(database_url: str, shared_pool: Database) -> AsyncIterator[tuple[Stage, Stage]]:
    """Two services with due chats of slow grading; only the first one is woken by calls."""
    async with (
        Sandbox(avito=LocalAvito()) as sandbox,
        on_stage(
            database_url, sandbox, pool=shared_pool, deepseek_max_concurrency=IN_FLIGHT
        ) as holder,
        on_stage(
            database_url, sandbox, holder.clock, shared_pool, deepseek_max_concurrency=IN_FLIGHT
        ) as helper,
    ):
        for number in range(CHATS):
            word = "".join(chr(ord("а") + int(digit)) for digit in f"{number:03}")
            holder.add_talk(*GOOD_TALK[:1], ("company", f"Добрый день! Да, {word}."))
        await holder.sync()
        sandbox.deepseek.switches.latency_seconds = 0.4
        yield holder, helper


async def is_helped(holder: Stage, helper: Stage) -> bool:
    """Wake the helper until it has joined."""
    helper.service.worker.wake()
    return bool(await holder.rows(HELPED))


async def test_helpers_finish_their_chats_before_a_passed_deadline_is_reported(
    pair: tuple[Stage, Stage],
) -> None:
    holder, helper = pair
    database, clock = holder.service.database, holder.clock
    params = AnalyzeParams(
        deadline=clock() + timedelta(seconds=3), written_since=clock() - timedelta(days=7)
    )
    run_id = await submit(database, params, clock, slot="2026-11-22 #1")
    holder.service.worker.wake()
    await until(lambda: is_helped(holder, helper))
    run = await wait(database, run_id)
    outcomes = await holder.rows("SELECT outcome, count(*) AS n FROM chats GROUP BY 1")
    counts = {row["outcome"]: row["n"] for row in outcomes}
    assert run.figures["analyzed_chats"] == counts["graded"] > 0
    assert run.figures["waiting_chats"] == counts["waiting"] > 0
    assert counts["graded"] + counts["waiting"] == CHATS
    assert (
        await holder.rows(
            "SELECT 1 FROM chats WHERE grading_token IS NOT NULL AND due_since IS NULL"
        )
        == []
    )


@pytest.mark.parametrize(
    "change",
    ["UPDATE runs SET lease_token = gen_random_uuid()", "UPDATE runs SET help_token = NULL"],
)
async def test_a_run_of_the_release_before_is_not_helped(
    pair: tuple[Stage, Stage], change: str
) -> None:
    """Such a process sets ``lease_token`` and leaves ``help_token`` as it is."""
    holder, helper = pair
    async with holder.resting():
        await holder.change(
            "INSERT INTO runs (kind, state, params, figures, progress_done, created_at,"
            " lease_until, lease_token, help_token) SELECT 'analyze', 'running', '{}', '{}', 0,"
            " now(), now() + interval '1 minute', token, token"
            " FROM (SELECT gen_random_uuid() AS token) AS made"
        )
        await holder.change(change)
        for _ in range(3):
            helper.service.worker.wake()
            await asyncio.sleep(0.2)
        assert await holder.rows(HELPED) == []
        await holder.change("UPDATE runs SET state = 'done', lease_until = NULL")


async def test_a_run_with_a_limit_is_not_helped(pair: tuple[Stage, Stage]) -> None:
    holder, helper = pair
    call = asyncio.create_task(holder.analyze(limit=12))
    while not call.done():
        assert not await is_helped(holder, helper)
        await asyncio.sleep(0.1)
    assert (await call)["analyzed_chats"] == 12


async def test_each_process_needs_a_request(database_url: str, shared_pool: Database) -> None:
    """With one request in flight there is nothing to share."""
    async with (
        Sandbox(avito=LocalAvito()) as sandbox,
        on_stage(database_url, sandbox, pool=shared_pool, deepseek_max_concurrency=1) as holder,
        on_stage(
            database_url, sandbox, holder.clock, shared_pool, deepseek_max_concurrency=1
        ) as helper,
    ):
        for number in range(4):
            holder.add_talk(*GOOD_TALK, title=f"Диван {number}")
        await holder.sync()
        sandbox.deepseek.switches.latency_seconds = 0.3
        call = asyncio.create_task(holder.analyze())
        while not call.done():
            assert not await is_helped(holder, helper)
            await asyncio.sleep(0.1)
        assert (await call)["analyzed_chats"] == 4
        assert sandbox.deepseek.traffic.max_in_flight == 1
