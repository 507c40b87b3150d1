"""Model answers that cannot be stored at first.

They are stored later without another request, and the daily budget counts them.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from app.services.run_params import RegradeParams, RegradePeriod
from app.services.runs import submit, wait
from tests.support.estimates import estimate_maximum_usd
from tests.support.stage import GOOD_TALK, Stage, on_stage, until

CHATS = 4
_REFUSE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$
"""


@asynccontextmanager
async def full_disk(stage: Stage) -> AsyncIterator[None]:
    """Make every insert of a report fail."""
    await stage.change(_REFUSE)
    await stage.change("CREATE TRIGGER refuse BEFORE INSERT ON reports EXECUTE FUNCTION refuse()")
    try:
        yield
    finally:
        await stage.change("DROP FUNCTION refuse CASCADE")


async def synced(stage: Stage, chats: int = CHATS) -> None:
    for number in range(chats):
        stage.add_talk(*GOOD_TALK, title=f"Диван {number}")
    await stage.sync()


async def answered(stage: Stage, times: int) -> None:
    """Wait until the model has answered this many requests."""

    async def so_often() -> bool:
        return len(stage.sandbox.deepseek.requests) >= times

    await until(so_often)
    await asyncio.sleep(0.3)


async def lose_the_run(stage: Stage) -> None:
    """End the run's lease as a long outage does, and wait until its process has noticed.

    Before that, the process would write the answers as soon as the disk has room.
    """
    await stage.change(
        "UPDATE runs SET state = 'interrupted', lease_token = NULL, finished_at = now() WHERE state"
        " = 'running'"
    )

    async def is_noticed() -> bool:
        return not any(task.get_name().startswith("run-") for task in asyncio.all_tasks())

    await until(is_noticed)


async def test_answers_are_stored_after_the_disk_was_full(stage: Stage) -> None:
    await synced(stage)
    async with full_disk(stage):
        call = asyncio.create_task(stage.analyze())
        await answered(stage, 1)
    assert (await call)["analyzed_chats"] == CHATS
    assert len(stage.sandbox.deepseek.requests) == CHATS, "each was paid for once"


async def test_no_request_is_sent_while_nothing_can_be_stored(
    database_url: str, stage: Stage
) -> None:
    await synced(stage, chats=20)
    stage.sandbox.deepseek.switches.latency_seconds = 0.3
    async with (
        stage.resting(),
        on_stage(database_url, stage.sandbox, stage.clock, deepseek_max_concurrency=2) as narrow,
    ):
        async with full_disk(narrow):
            call = asyncio.create_task(narrow.analyze())
            await answered(narrow, 2)
            await asyncio.sleep(1)
            assert len(narrow.sandbox.deepseek.requests) <= 6
        assert (await call)["analyzed_chats"] == 20
    assert len(stage.sandbox.deepseek.requests) == 20


async def test_next_run_stores_the_answers_of_the_previous_one(stage: Stage) -> None:
    await synced(stage)
    async with full_disk(stage):
        call = asyncio.create_task(stage.post("/llm/analyze", status=500))
        await answered(stage, CHATS)
        await lose_the_run(stage)
        await call
    assert (await stage.analyze())["analyzed_chats"] == CHATS
    assert len(stage.sandbox.deepseek.requests) == CHATS
    rows = await stage.rows(
        "SELECT sum(lost_usd) AS lost, (SELECT count(*) FROM reports) AS reports FROM runs"
    )
    assert rows == [{"lost": 0, "reports": CHATS}]


async def test_answer_about_a_changed_chat_is_discarded_and_billed(stage: Stage) -> None:
    await synced(stage, chats=1)
    async with full_disk(stage):
        call = asyncio.create_task(stage.post("/llm/analyze", status=500))
        await answered(stage, 1)
        await lose_the_run(stage)
        await call
    (chat,) = stage.avito.accounts[0].chats.values()
    stage.avito.add_message(chat.id, "client", text="И ещё вопрос: доставка есть?")
    stage.avito.add_message(chat.id, "company", text="Да, по городу бесплатно.")
    await stage.sync()
    assert (await stage.analyze())["analyzed_chats"] == 1
    assert len(stage.sandbox.deepseek.requests) == 2
    lost = await stage.rows("SELECT id FROM runs WHERE lost_usd > 0 AND state = 'interrupted'")
    assert len(lost) == 1, "by the run that paid"


async def asked_or_ended(stage: Stage, call: asyncio.Task[Any], requests: int) -> None:
    """Wait until the model has got more than these requests, or the call has its answer."""

    async def is_reached() -> bool:
        return call.done() or len(stage.sandbox.deepseek.requests) > requests

    await until(is_reached)


async def test_budget_counts_answers_that_are_not_stored(database_url: str, stage: Stage) -> None:
    """Runs cannot store their answers, and their chat changes meanwhile.

    They stop when the daily budget is spent.
    """
    await synced(stage, chats=1)
    most = await estimate_maximum_usd(stage)
    await stage.analyze()
    (report,) = await stage.rows("SELECT cost_usd FROM reports")
    limit = most + report["cost_usd"] * 2
    (chat,) = stage.avito.accounts[0].chats.values()
    asked = [0, len(stage.sandbox.deepseek.requests)]
    async with (
        stage.resting(),
        on_stage(
            database_url, stage.sandbox, stage.clock, deepseek_daily_budget_usd=limit
        ) as frugal,
    ):
        while asked[-1] > asked[-2]:
            frugal.avito.add_message(chat.id, "company", text="Спасибо, ждём вас!")
            await frugal.sync()
            async with full_disk(frugal):
                call = asyncio.create_task(frugal.rest.post("/api/v1/llm/analyze"))
                await asked_or_ended(stage, call, asked[-1])
                await asyncio.wait({call}, timeout=1)
                await lose_the_run(frugal)
                await call
            asked.append(len(stage.sandbox.deepseek.requests))
            assert len(asked) < 10, "without a count of the money it would never stop"
        assert (await frugal.analyze())["analyzed_chats"] == 0
        (spent,) = await frugal.rows(
            "SELECT (SELECT sum(cost_usd) FROM reports) + (SELECT sum(lost_usd) FROM runs) AS usd"
        )
    assert report["cost_usd"] < spent["usd"] <= limit


async def test_regrade_is_stored_after_the_disk_was_full(stage: Stage) -> None:
    await synced(stage, chats=1)
    await stage.analyze()
    period = RegradePeriod(
        start=stage.clock().replace(year=2020), end=stage.clock().replace(year=2099), limit=None
    )
    async with full_disk(stage):
        run_id = await submit(stage.service.database, RegradeParams(period=period), stage.clock)
        stage.service.worker.wake()
        await answered(stage, 2)
    run = await wait(stage.service.database, run_id)
    assert (run.state, run.figures["regraded_reports"]) == ("done", 1)
    assert len(stage.sandbox.deepseek.requests) == 2
