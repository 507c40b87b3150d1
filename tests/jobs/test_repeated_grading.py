"""A call that forces grading while the same call is in progress.

Whether it is in this process or another replica, no chat is billed twice.
"""

import asyncio
from datetime import date

from app.sandbox.deepseek_faults import BALANCE_EMPTY, BLANK, user_message
from app.services.run_params import AnalyzeParams, MailParams, RunParams, SyncParams
from app.services.runs import submit
from tests.support.daily_mails import BOSS, list_mails
from tests.support.repeated_calls import (
    call_both,
    execute_run,
    grade_chats,
    pause_workers,
    start_call,
)
from tests.support.stage import Stage, on_stage, until


async def test_chats_of_two_concurrent_calls_are_graded_once(stage: Stage, replica: Stage) -> None:
    ids = await grade_chats(stage, 3)
    asked_before = len(stage.sandbox.deepseek.requests)
    body = {"chat_ids": ids, "force": True}
    first, second = await call_both(stage, replica, "/llm/analyze", body)
    assert (first["analyzed_chats"], second["analyzed_chats"], second["waiting_chats"]) == (3, 0, 0)
    assert "Такой же запрос уже выполнялся" not in first["message"]
    assert "Такой же запрос уже выполнялся (запуск 3)" in second["message"]
    assert len(stage.sandbox.deepseek.requests) == asked_before + 3
    assert (await stage.analyze(**body))["analyzed_chats"] == 3, (
        "made after both have ended, it is carried out"
    )


async def test_second_call_grades_what_the_interrupted_first_call_left(
    stage: Stage, replica: Stage
) -> None:
    ids = await grade_chats(stage, 2)
    body = {"chat_ids": ids, "force": True}
    stage.sandbox.deepseek.switches.latency_seconds = 60
    first = await start_call(stage, "/llm/analyze", body)
    asked_before = len(stage.sandbox.deepseek.requests)

    async def at_work() -> bool:
        return stage.sandbox.deepseek.traffic.in_flight == 2

    await until(at_work)
    second = await start_call(replica, "/llm/analyze", body)
    async with pause_workers(
        stage, replica
    ):  # the worker is stopped, and the first call ends as interrupted
        stage.sandbox.deepseek.switches.latency_seconds = 0
    assert "Прервано" in (await first)["message"]
    assert (await second)["analyzed_chats"] == 2, "what the first has left is done"
    assert len(stage.sandbox.deepseek.requests) <= asked_before + 4


async def test_simultaneous_calls_have_an_order(stage: Stage) -> None:
    database, clock = stage.service.database, stage.clock
    async with stage.resting():
        await asyncio.gather(
            *(submit(database, AnalyzeParams(force=True, chat_ids=("x",)), clock) for _ in range(6))
        )
        params = [row["params"] for row in await stage.rows("SELECT params FROM runs ORDER BY id")]
    assert [found.get("repeats") for found in params] == [None, 1, 1, 1, 1, 1]


async def test_only_an_equal_call_is_a_repeat(stage: Stage) -> None:
    database, clock = stage.service.database, stage.clock
    calls: list[RunParams] = [
        AnalyzeParams(force=True, chat_ids=("x",)),
        AnalyzeParams(force=True, chat_ids=("x", "y")),
        AnalyzeParams(force=True),
        AnalyzeParams(),
        AnalyzeParams(),
        MailParams(day=date(2026, 11, 22), resend=True),
        MailParams(day=date(2026, 11, 23), resend=True),
        MailParams(day=date(2026, 11, 23)),
        MailParams(day=date(2026, 11, 23)),
    ]
    async with stage.resting():
        for params in calls:
            await submit(database, params, clock)
        assert await stage.rows("SELECT 1 FROM runs WHERE params ? 'repeats'") == []


async def test_second_call_grades_what_the_first_could_not(
    stage: Stage, replica: Stage, database_url: str
) -> None:
    """The balance runs out during the first call and is topped up.

    The second call grades the rest and nothing that the first has graded.
    """
    ids = await grade_chats(stage, 5)
    body = {"chat_ids": ids, "force": True}
    async with (
        pause_workers(stage, replica),
        on_stage(database_url, stage.sandbox, deepseek_max_concurrency=1) as slow,
    ):
        async with pause_workers(slow):
            first = await start_call(stage, "/llm/analyze", body)
            second = await start_call(replica, "/llm/analyze", body)
            bought = iter(range(2))
            stage.sandbox.deepseek.switches.fail(
                BALANCE_EMPTY, when=lambda _: next(bought, None) is None, times=1
            )
        answers = await asyncio.gather(first, second)
    assert [
        (answer["status"], answer["analyzed_chats"], answer["waiting_chats"]) for answer in answers
    ] == [
        ("error", 2, 3),
        ("success", 3, 0),
    ]
    assert [
        row["n"] for row in await stage.rows("SELECT count(*) AS n FROM reports GROUP BY chat_id")
    ] == [2] * 5


async def test_third_call_names_both_earlier_calls(stage: Stage, replica: Stage) -> None:
    """The first was interrupted before it graded a chat; the second did the work."""
    ids = await grade_chats(stage, 2)
    database, clock = stage.service.database, stage.clock
    params = AnalyzeParams(chat_ids=tuple(ids), force=True)
    async with pause_workers(stage, replica):
        first, second, third, never_begun = [
            await submit(database, params, clock) for _ in range(4)
        ]
        await stage.change(
            "UPDATE runs SET state = 'interrupted', started_at = :now, finished_at = :now WHERE id"
            " = :id",
            now=clock(),
            id=first,
        )
        did = await execute_run(stage, second)
        repeat = await execute_run(stage, third)
    assert (did["figures"]["analyzed_chats"], repeat["figures"]["analyzed_chats"]) == (2, 0)
    assert f"уже выполнялся (запуск {first}): сделанное им" in did["message"]
    assert f"уже выполнялся (запуски {first}, {second}): сделанное ими" in repeat["message"]
    assert str(never_begun) not in repeat["message"]


async def test_chat_that_failed_in_the_first_call_is_not_retried_by_the_second(
    stage: Stage, replica: Stage
) -> None:
    ids = await grade_chats(stage, 1)
    stage.sandbox.deepseek.switches.fail(
        BLANK, when=lambda request: bool(user_message(request)), times=None
    )
    first, second = await call_both(
        stage, replica, "/llm/analyze", {"chat_ids": ids, "force": True}
    )
    assert (first["failed_chats"], second["failed_chats"], second["waiting_chats"]) == (1, 0, 0)
    assert (await stage.rows("SELECT failures FROM chats"))[0]["failures"] == 1


async def test_chat_with_a_new_message_is_graded_by_the_second_call(
    stage: Stage,
) -> None:
    ids = await grade_chats(stage, 2)
    database, clock = stage.service.database, stage.clock
    params = AnalyzeParams(chat_ids=tuple(ids), force=True)
    async with stage.resting():
        first, second = [await submit(database, params, clock) for _ in range(2)]
        await execute_run(stage, first)
        stage.avito.add_message(ids[0], "client", text="А завтра?")
        await execute_run(stage, await submit(database, SyncParams(), clock))
        assert (await execute_run(stage, second))["figures"]["analyzed_chats"] == 1


async def test_run_that_is_executed_first_does_the_work(stage: Stage) -> None:
    """The command line executes its own run before older ones that wait for a service."""
    ids = await grade_chats(stage, 2)
    await stage.mail()
    database, clock = stage.service.database, stage.clock
    today = clock().astimezone(stage.service.settings.report_timezone).date()
    calls: list[tuple[RunParams, str]] = [
        (AnalyzeParams(chat_ids=tuple(ids), force=True), "analyzed_chats"),
        (MailParams(day=today, resend=True), "send_reports"),
    ]
    async with stage.resting():
        for params, figure in calls:
            first, second = [await submit(database, params, clock) for _ in range(2)]
            done = [await execute_run(stage, run_id) for run_id in (second, first)]
            assert [run["figures"][figure] for run in done] == [2, 0]
            assert f"(запуск {second}): сделанное им не повторялось" in done[1]["message"]
            assert "Такой же запрос" not in done[0]["message"]
    assert len(list_mails(stage, BOSS)) == 2


async def test_interrupted_grading_is_finished_by_the_next_call(stage: Stage) -> None:
    ids = await grade_chats(stage, 3)
    body = {"chat_ids": ids, "force": True}
    await stage.analyze(chat_ids=ids[:1], force=True)
    await stage.change(
        "UPDATE runs SET state = 'interrupted', params = jsonb_build_object('chat_ids', CAST(:ids"
        " AS text[]), 'force', true) WHERE id = (SELECT max(id) FROM runs)",
        ids=ids,
    )
    assert (await stage.analyze(**body))["analyzed_chats"] == 2
    assert (await stage.analyze(**body))["analyzed_chats"] == 3
