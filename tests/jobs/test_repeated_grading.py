"""A call that forces grading while the same call is under way, in this process or another replica:
nothing is bought twice.
"""

import asyncio
from datetime import date

from app.sandbox.deepseek_faults import BALANCE_EMPTY, BLANK, user_message
from app.services.run_params import AnalyzeParams, MailParams, RunParams, SyncParams
from app.services.runs import submit
from tests.support.daily_mails import BOSS, list_mails
from tests.support.repeated_calls import asked, asked_by_both, graded, nobody_working, work_off
from tests.support.stage import Stage, on_stage, until


async def test_chats_named_by_two_calls_at_once_are_bought_once(
    stage: Stage, replica: Stage
) -> None:
    ids = await graded(stage, 3)
    asked_before = len(stage.sandbox.deepseek.requests)
    body = {"chat_ids": ids, "force": True}
    first, second = await asked_by_both(stage, replica, "/llm/analyze", body)
    assert (first["analyzed_chats"], second["analyzed_chats"], second["waiting_chats"]) == (3, 0, 0)
    assert "Такой же запрос уже выполнялся" not in first["message"]
    assert "Такой же запрос уже выполнялся (запуск 3)" in second["message"]
    assert len(stage.sandbox.deepseek.requests) == asked_before + 3
    assert (await stage.analyze(**body))["analyzed_chats"] == 3, (
        "made after both have ended, it is carried out"
    )


async def test_a_call_made_while_the_same_is_at_work_does_what_that_one_leaves(
    stage: Stage, replica: Stage
) -> None:
    ids = await graded(stage, 2)
    body = {"chat_ids": ids, "force": True}
    stage.sandbox.deepseek.switches.latency_seconds = 60
    first = await asked(stage, "/llm/analyze", body)
    asked_before = len(stage.sandbox.deepseek.requests)

    async def at_work() -> bool:
        return stage.sandbox.deepseek.traffic.in_flight == 2

    await until(at_work)
    second = await asked(replica, "/llm/analyze", body)
    async with nobody_working(
        stage, replica
    ):  # whoever worked is stopped, and the first call ends as interrupted
        stage.sandbox.deepseek.switches.latency_seconds = 0
    assert "Прервано" in (await first)["message"]
    assert (await second)["analyzed_chats"] == 2, "what the first has left is done"
    assert len(stage.sandbox.deepseek.requests) <= asked_before + 4


async def test_of_calls_at_the_same_moment_one_is_the_first(stage: Stage) -> None:
    database, clock = stage.service.database, stage.clock
    async with stage.resting():
        await asyncio.gather(
            *(submit(database, AnalyzeParams(force=True, chat_ids=("x",)), clock) for _ in range(6))
        )
        params = [row["params"] for row in await stage.rows("SELECT params FROM runs ORDER BY id")]
    assert [found.get("repeats") for found in params] == [None, 1, 1, 1, 1, 1]


async def test_only_the_same_call_is_a_repeat(stage: Stage) -> None:
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


async def test_what_the_first_could_not_do_the_second_does(
    stage: Stage, replica: Stage, database_url: str
) -> None:
    """The balance ran empty on the way and is filled again: the second call buys the rest and
    nothing of the first's.
    """
    ids = await graded(stage, 5)
    body = {"chat_ids": ids, "force": True}
    async with (
        nobody_working(stage, replica),
        on_stage(database_url, stage.sandbox, deepseek_max_concurrency=1) as slow,
    ):
        async with nobody_working(slow):
            first = await asked(stage, "/llm/analyze", body)
            second = await asked(replica, "/llm/analyze", body)
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


async def test_a_third_call_names_each_that_worked_before_it(stage: Stage, replica: Stage) -> None:
    """The first was interrupted before it came to anything, the second has done the work."""
    ids = await graded(stage, 2)
    database, clock = stage.service.database, stage.clock
    params = AnalyzeParams(chat_ids=tuple(ids), force=True)
    async with nobody_working(stage, replica):
        first, second, third, never_begun = [
            await submit(database, params, clock) for _ in range(4)
        ]
        await stage.change(
            "UPDATE runs SET state = 'interrupted', started_at = :now, finished_at = :now WHERE id"
            " = :id",
            now=clock(),
            id=first,
        )
        did = await work_off(stage, second)
        repeat = await work_off(stage, third)
    assert (did["figures"]["analyzed_chats"], repeat["figures"]["analyzed_chats"]) == (2, 0)
    assert f"уже выполнялся (запуск {first}): сделанное им" in did["message"]
    assert f"уже выполнялся (запуски {first}, {second}): сделанное ими" in repeat["message"]
    assert str(never_begun) not in repeat["message"]


async def test_a_chat_that_failed_for_the_first_is_not_tried_by_the_second(
    stage: Stage, replica: Stage
) -> None:
    ids = await graded(stage, 1)
    stage.sandbox.deepseek.switches.fail(
        BLANK, when=lambda request: bool(user_message(request)), times=None
    )
    first, second = await asked_by_both(
        stage, replica, "/llm/analyze", {"chat_ids": ids, "force": True}
    )
    assert (first["failed_chats"], second["failed_chats"], second["waiting_chats"]) == (1, 0, 0)
    assert (await stage.rows("SELECT failures FROM chats"))[0]["failures"] == 1


async def test_a_chat_in_which_somebody_has_written_meanwhile_is_graded_by_the_second(
    stage: Stage,
) -> None:
    ids = await graded(stage, 2)
    database, clock = stage.service.database, stage.clock
    params = AnalyzeParams(chat_ids=tuple(ids), force=True)
    async with stage.resting():
        first, second = [await submit(database, params, clock) for _ in range(2)]
        await work_off(stage, first)
        stage.avito.add_message(ids[0], "client", text="А завтра?")
        await work_off(stage, await submit(database, SyncParams(), clock))
        assert (await work_off(stage, second))["figures"]["analyzed_chats"] == 1


async def test_whichever_of_the_two_comes_first_does_the_work(stage: Stage) -> None:
    """The command line lets its own run go before those that wait for a service."""
    ids = await graded(stage, 2)
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
            done = [await work_off(stage, run_id) for run_id in (second, first)]
            assert [run["figures"][figure] for run in done] == [2, 0]
            assert f"(запуск {second}): сделанное им не повторялось" in done[1]["message"]
            assert "Такой же запрос" not in done[0]["message"]
    assert len(list_mails(stage, BOSS)) == 2


async def test_an_interrupted_grading_is_finished_by_the_next_call(stage: Stage) -> None:
    ids = await graded(stage, 3)
    body = {"chat_ids": ids, "force": True}
    await stage.analyze(chat_ids=ids[:1], force=True)
    await stage.change(
        "UPDATE runs SET state = 'interrupted', params = jsonb_build_object('chat_ids', CAST(:ids"
        " AS text[]), 'force', true) WHERE id = (SELECT max(id) FROM runs)",
        ids=ids,
    )
    assert (await stage.analyze(**body))["analyzed_chats"] == 2
    assert (await stage.analyze(**body))["analyzed_chats"] == 3
