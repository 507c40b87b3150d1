"""A repeated call for a full sync or a regrade, also after an interruption.

No chat is read twice and no report is billed twice.
"""

import json
from datetime import timedelta

import pytest

from app.cli.regrades import show_regrades
from app.services.run_params import RegradeParams, RegradePeriod
from app.services.runs import submit
from tests.support.repeated_calls import call_both, execute_run, grade_chats
from tests.support.stage import GOOD_TALK, Stage


def pages_read(stage: Stage) -> int:
    """Count the pages of messages requested from Avito."""
    return sum("/messages" in request.path for request in stage.avito.requests)


async def test_two_concurrent_full_syncs_read_each_chat_once(stage: Stage, replica: Stage) -> None:
    chats = [
        stage.add_talk(*GOOD_TALK, title=f"Диван {number}", minutes_ago=300) for number in range(3)
    ]
    await stage.sync()
    before = pages_read(stage)
    first, second = await call_both(stage, replica, "/avito/sync", {"full": True})
    assert pages_read(stage) == before + len(chats)
    assert [answer["synced_chats"] for answer in (first, second)] == [3, 3]
    assert "Такой же запрос уже выполнялся" in second["message"]
    await stage.sync(full=True)
    assert pages_read(stage) == before + 2 * len(chats), (
        "made after both have ended, it is carried out"
    )


async def test_interrupted_full_sync_starts_again(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK, minutes_ago=300)
    await stage.sync(full=True)
    await stage.change("UPDATE runs SET state = 'interrupted'")
    before = pages_read(stage)
    assert "Такой же запрос" not in (await stage.sync(full=True))["message"]
    assert pages_read(stage) == before + 1


async def test_two_concurrent_regrades_grade_each_report_once(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first call is interrupted halfway; then its caller calls twice."""
    await grade_chats(stage, 4)
    database, clock = stage.service.database, stage.clock
    period = RegradePeriod(
        start=clock() - timedelta(days=1), end=clock() + timedelta(days=1), limit=4
    )
    asked_before = len(stage.sandbox.deepseek.requests)
    async with stage.resting():
        half = await submit(
            database, RegradeParams(period=period.model_copy(update={"limit": 2})), clock
        )
        await execute_run(stage, half)
        await stage.change(
            "UPDATE runs SET state = 'interrupted', params = CAST(:params AS jsonb) WHERE id = :id",
            params=json.dumps(RegradeParams(period=period).as_json()),
            id=half,
        )
        calls = [await submit(database, RegradeParams(period=period), clock) for _ in range(2)]
        done = [await execute_run(stage, run_id) for run_id in calls]
        await show_regrades(database, calls[1])
        assert "(4 пары)" in capsys.readouterr().out, "what it did not make again it shows"
        again = await execute_run(
            stage, await submit(database, RegradeParams(period=period), clock)
        )
    assert [run["figures"]["regraded_reports"] for run in (*done, again)] == [2, 0, 4]
    assert len(stage.sandbox.deepseek.requests) == asked_before + 2 + 2 + 4
