"""The service is stopped during grading.

Model calls in progress are billed, so the service waits for their answers and stores them.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from app.sandbox.avito import LocalAvito
from app.sandbox.server import Sandbox
from app.services.run_params import AnalyzeParams, DailyParams, RegradeParams, RegradePeriod
from app.services.runs import require_run, submit, wait
from tests.support.daily_mails import BOSS, SECOND, grade_day, list_mails
from tests.support.stage import GOOD_TALK, Stage, on_stage, until

AT_A_TIME = 3
CHATS = 8


@asynccontextmanager
async def synced(url: str, chats: int = CHATS) -> AsyncIterator[Stage]:
    """Yield a service with due chats and enough time to stop."""
    async with (
        Sandbox(avito=LocalAvito()) as sandbox,
        on_stage(url, sandbox, finish_seconds=60, deepseek_max_concurrency=AT_A_TIME) as stage,
    ):
        for number in range(chats):
            stage.add_talk(*GOOD_TALK, title=f"Диван {number}")
        await stage.sync()
        sandbox.deepseek.switches.latency_seconds = 0.4
        yield stage


async def begun(stage: Stage, requests: int = AT_A_TIME) -> None:
    """Wait until the model has received this many requests."""

    async def enough() -> bool:
        return len(stage.sandbox.deepseek.requests) >= requests

    await until(enough)


async def reports(stage: Stage) -> int:
    return len(await stage.rows("SELECT 1 FROM reports"))


async def test_response_counts_answers_received_during_the_stop(
    database_url: str,
) -> None:
    async with synced(database_url) as stage:
        call = asyncio.create_task(stage.rest.post("/api/v1/llm/analyze"))
        await begun(stage)
        async with stage.resting():
            answer: dict[str, Any] = (await call).json()
            asked = len(stage.sandbox.deepseek.requests)
            assert AT_A_TIME <= asked < CHATS
            assert await reports(stage) == asked, "none of them was paid for in vain"
        assert answer["message"].startswith("Прервано")
        assert (answer["analyzed_chats"], answer["waiting_chats"]) == (asked, CHATS - asked)
        assert (await stage.analyze())["analyzed_chats"] == CHATS - asked


async def test_scheduled_grading_is_released_and_finished_by_the_next_process(
    database_url: str,
) -> None:
    async with synced(database_url) as stage:
        database, clock = stage.service.database, stage.clock
        params = AnalyzeParams(written_since=clock() - timedelta(days=7))
        run_id = await submit(database, params, clock, slot="2026-11-22 #1")
        stage.service.worker.wake()
        await begun(stage)
        async with stage.resting():
            given_back = await require_run(database, run_id)
            asked = len(stage.sandbox.deepseek.requests)
            assert (given_back.state, given_back.figures["analyzed_chats"]) == ("queued", asked)
        run = await wait(database, run_id)
        assert (run.state, run.figures["analyzed_chats"], run.figures["waiting_chats"]) == (
            "done",
            CHATS,
            0,
        )
        assert len(stage.sandbox.deepseek.requests) == CHATS


async def test_daily_run_stopped_during_grading_is_finished_by_the_next_process(
    database_url: str,
) -> None:
    async with synced(database_url) as stage:
        run_id = await submit(stage.service.database, DailyParams(), stage.clock, slot="2026-11-22")
        stage.service.worker.wake()
        await begun(stage)
        async with stage.resting():
            states = await stage.rows(
                "SELECT kind, state FROM runs WHERE slot IS NOT NULL ORDER BY id"
            )
            assert [tuple(row.values()) for row in states] == [
                ("daily", "queued"),
                ("sync", "done"),
                ("analyze", "queued"),
            ]
        run = await wait(stage.service.database, run_id)
        assert (run.state, run.figures["analyzed_chats"], run.figures["send_reports"]) == (
            "done",
            CHATS,
            CHATS,
        )
        assert len(stage.sandbox.deepseek.requests) == CHATS
        assert len(stage.sandbox.smtp.messages) == 2


async def test_grading_with_no_chats_left_succeeds(database_url: str) -> None:
    async with synced(database_url, AT_A_TIME) as stage:
        call = asyncio.create_task(stage.rest.post("/api/v1/llm/analyze"))
        await begun(stage)
        async with stage.resting():
            answer = (await call).json()
        assert (answer["status"], answer["analyzed_chats"], answer["waiting_chats"]) == (
            "success",
            AT_A_TIME,
            0,
        )


async def test_mail_stopped_between_two_recipients_counts_the_first(
    stage: Stage,
) -> None:
    await grade_day(stage)
    stage.sandbox.smtp.switches.recipient_latencies[SECOND] = 60
    call = asyncio.create_task(stage.rest.post("/api/v1/timer/reports"))

    async def half_way() -> bool:
        return bool(await stage.rows("SELECT 1 FROM deliveries WHERE state = 'sent'"))

    await until(half_way)
    async with stage.resting():
        answer = (await call).json()
        assert answer["message"].startswith("Прервано")
        assert (answer["send_reports"], len(list_mails(stage, BOSS))) == (2, 1)
    stage.sandbox.smtp.switches.recipient_latencies.clear()
    assert (await stage.mail())["send_reports"] == 0, "it was counted in the call that brought it"
    assert list_mails(stage, SECOND)


async def test_regrades_in_progress_are_stored(database_url: str) -> None:
    async with synced(database_url) as stage:
        await stage.analyze()
        period = RegradePeriod(
            start=datetime(2020, 1, 1, tzinfo=UTC),
            end=datetime(2099, 1, 1, tzinfo=UTC),
            limit=None,
        )
        run_id = await submit(stage.service.database, RegradeParams(period=period), stage.clock)
        stage.service.worker.wake()
        await begun(stage, CHATS + AT_A_TIME)
        async with stage.resting():
            run = await require_run(stage.service.database, run_id)
            asked = len(stage.sandbox.deepseek.requests) - CHATS
            assert asked < CHATS
            assert (run.state, run.figures["regraded_reports"], await reports(stage)) == (
                "interrupted",
                asked,
                CHATS + asked,
            )
