"""A call that forces work while the same call is under way, in this process or another replica: nothing is done twice."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from app.cli.regrades import show_regrades
from app.main import working
from app.models import RunKind
from app.repositories.runs import CONTINUED_FOR
from app.sandbox.deepseek_faults import BALANCE_EMPTY, BLANK, user_message
from app.services.analysis.originals import RegradePeriod
from app.services.runs import submit
from tests.services.test_mailer import BOSS, SECOND, graded_day, received
from tests.stage import GOOD_TALK, Stage, on_stage, until

Answer = dict[str, Any]


@pytest_asyncio.fixture
async def replica(stage: Stage, database_url: str) -> AsyncIterator[Stage]:
    """Another service over the same database and far ends."""
    async with on_stage(database_url, stage.sandbox, stage.clock, stage.service.database) as other:
        yield other


async def graded(stage: Stage, chats: int) -> list[str]:
    """So many chats, each with a report; their ids."""
    ids = [stage.add_talk(*GOOD_TALK, title=f"Диван {number}").id for number in range(chats)]
    await stage.sync()
    await stage.analyze()
    return ids


async def open_runs(stage: Stage) -> int:
    return len(await stage.rows("SELECT 1 FROM runs WHERE state IN ('queued', 'running')"))


async def asked(stage: Stage, path: str, body: dict[str, Any]) -> asyncio.Task[Answer]:
    """A call that is under way: its run is in the queue, or somebody works on it."""
    before = await open_runs(stage)

    async def call() -> Answer:
        return dict((await stage.rest.post(f"/api/v1{path}", json=body)).json())

    async def queued() -> bool:
        return await open_runs(stage) > before

    task = asyncio.create_task(call())
    await until(queued)
    return task


@asynccontextmanager
async def nobody_working(*stages: Stage) -> AsyncIterator[None]:
    async with stages[0].resting():
        if stages[1:]:
            async with nobody_working(*stages[1:]):
                yield
        else:
            yield


async def asked_by_both(stage: Stage, replica: Stage, path: str, body: dict[str, Any]) -> list[Answer]:
    """The answers to the same call at two replicas, the second made while the first waits in the queue."""
    async with nobody_working(stage, replica):
        calls = [await asked(one, path, body) for one in (stage, replica)]
    return await asyncio.gather(*calls)


async def work_off(stage: Stage, run_id: int) -> dict[str, Any]:
    """Has this run and no other carried out, while nobody else works."""
    (run,) = await stage.rows("SELECT kind FROM runs WHERE id = :id", id=run_id)

    async def ended() -> bool:
        return bool(await stage.rows("SELECT 1 FROM runs WHERE id = :id AND state = 'done'", id=run_id))

    async with working(stage.service, only=(RunKind(run["kind"]), run_id)):
        await until(ended)
    return (await stage.rows("SELECT figures, message FROM runs WHERE id = :id", id=run_id))[0]


async def test_chats_named_by_two_calls_at_once_are_bought_once(stage: Stage, replica: Stage) -> None:
    ids = await graded(stage, 3)
    asked_before = len(stage.sandbox.deepseek.requests)
    body = {"chat_ids": ids, "force": True}
    first, second = await asked_by_both(stage, replica, "/llm/analyze", body)
    assert (first["analyzed_chats"], second["analyzed_chats"], second["waiting_chats"]) == (3, 0, 0)
    assert "Такой же запрос уже выполнялся" not in first["message"]
    assert "Такой же запрос уже выполнялся (запуск 3)" in second["message"]
    assert len(stage.sandbox.deepseek.requests) == asked_before + 3
    assert (await stage.analyze(**body))["analyzed_chats"] == 3, "made after both have ended, it is carried out"


async def test_a_call_made_while_the_same_is_at_work_does_what_that_one_leaves(stage: Stage, replica: Stage) -> None:
    ids = await graded(stage, 2)
    body = {"chat_ids": ids, "force": True}
    stage.sandbox.deepseek.switches.latency_seconds = 60
    first = await asked(stage, "/llm/analyze", body)
    asked_before = len(stage.sandbox.deepseek.requests)

    async def at_work() -> bool:
        return stage.sandbox.deepseek.traffic.in_flight == 2

    await until(at_work)
    second = await asked(replica, "/llm/analyze", body)
    async with nobody_working(stage, replica):  # whoever worked is stopped, and the first call ends as interrupted
        stage.sandbox.deepseek.switches.latency_seconds = 0
    assert "Прервано" in (await first)["message"]
    assert (await second)["analyzed_chats"] == 2, "what the first has left is done"
    assert len(stage.sandbox.deepseek.requests) <= asked_before + 4


async def test_of_calls_at_the_same_moment_one_is_the_first(stage: Stage) -> None:
    database, clock = stage.service.database, stage.clock
    async with stage.resting():
        await asyncio.gather(*(submit(database, RunKind.ANALYZE, clock, params={"force": True, "chat_ids": ["x"]}) for _ in range(6)))
        params = [row["params"] for row in await stage.rows("SELECT params FROM runs ORDER BY id")]
    assert [found.get("repeats") for found in params] == [None, 1, 1, 1, 1, 1]


async def test_only_the_same_call_is_a_repeat(stage: Stage) -> None:
    database, clock = stage.service.database, stage.clock
    calls: list[tuple[RunKind, dict[str, Any]]] = [
        (RunKind.ANALYZE, {"force": True, "chat_ids": ["x"]}),
        (RunKind.ANALYZE, {"force": True, "chat_ids": ["x", "y"]}),
        (RunKind.ANALYZE, {"force": True}),
        (RunKind.ANALYZE, {"force": False}),
        (RunKind.ANALYZE, {"force": False}),
        (RunKind.MAIL, {"date": "2026-11-22", "resend": True}),
        (RunKind.MAIL, {"date": "2026-11-23", "resend": True}),
        (RunKind.MAIL, {"date": "2026-11-23", "resend": False}),
        (RunKind.MAIL, {"date": "2026-11-23", "resend": False}),
    ]
    async with stage.resting():
        for kind, params in calls:
            await submit(database, kind, clock, params=params)
        assert await stage.rows("SELECT 1 FROM runs WHERE params ? 'repeats'") == []


async def test_what_the_first_could_not_do_the_second_does(stage: Stage, replica: Stage, database_url: str) -> None:
    """The balance ran empty on the way and is filled again: the second call buys the rest and nothing of the first's."""
    ids = await graded(stage, 5)
    body = {"chat_ids": ids, "force": True}
    async with nobody_working(stage, replica), on_stage(database_url, stage.sandbox, deepseek_max_concurrency=1) as slow:
        async with nobody_working(slow):
            first = await asked(stage, "/llm/analyze", body)
            second = await asked(replica, "/llm/analyze", body)
            bought = iter(range(2))
            stage.sandbox.deepseek.switches.fail(BALANCE_EMPTY, when=lambda _: next(bought, None) is None, times=1)
        answers = await asyncio.gather(first, second)
    assert [(answer["status"], answer["analyzed_chats"], answer["waiting_chats"]) for answer in answers] == [
        ("error", 2, 3),
        ("success", 3, 0),
    ]
    assert [row["n"] for row in await stage.rows("SELECT count(*) AS n FROM reports GROUP BY chat_id")] == [2] * 5


async def test_a_third_call_names_each_that_worked_before_it(stage: Stage, replica: Stage) -> None:
    """The first was interrupted before it came to anything, the second has done the work."""
    ids = await graded(stage, 2)
    database, clock = stage.service.database, stage.clock
    params = {"chat_ids": ids, "force": True}
    async with nobody_working(stage, replica):
        first, second, third, never_begun = [await submit(database, RunKind.ANALYZE, clock, params=params) for _ in range(4)]
        await stage.change(
            "UPDATE runs SET state = 'interrupted', started_at = :now, finished_at = :now WHERE id = :id", now=clock(), id=first
        )
        did = await work_off(stage, second)
        repeat = await work_off(stage, third)
    assert (did["figures"]["analyzed_chats"], repeat["figures"]["analyzed_chats"]) == (2, 0)
    assert f"уже выполнялся (запуск {first}): сделанное им" in did["message"]
    assert f"уже выполнялся (запуски {first}, {second}): сделанное ими" in repeat["message"]
    assert str(never_begun) not in repeat["message"]


async def test_a_chat_that_failed_for_the_first_is_not_tried_by_the_second(stage: Stage, replica: Stage) -> None:
    ids = await graded(stage, 1)
    stage.sandbox.deepseek.switches.fail(BLANK, when=lambda request: bool(user_message(request)), times=None)
    first, second = await asked_by_both(stage, replica, "/llm/analyze", {"chat_ids": ids, "force": True})
    assert (first["failed_chats"], second["failed_chats"], second["waiting_chats"]) == (1, 0, 0)
    assert (await stage.rows("SELECT failures FROM chats"))[0]["failures"] == 1


async def test_a_chat_in_which_somebody_has_written_meanwhile_is_graded_by_the_second(stage: Stage) -> None:
    ids = await graded(stage, 2)
    database, clock = stage.service.database, stage.clock
    params = {"chat_ids": ids, "force": True}
    async with stage.resting():
        first, second = [await submit(database, RunKind.ANALYZE, clock, params=params) for _ in range(2)]
        await work_off(stage, first)
        stage.avito.add_message(ids[0], "client", text="А завтра?")
        await work_off(stage, await submit(database, RunKind.SYNC, clock))
        assert (await work_off(stage, second))["figures"]["analyzed_chats"] == 1


async def test_whichever_of_the_two_comes_first_does_the_work(stage: Stage) -> None:
    """The command line lets its own run go before those that wait for a service."""
    ids = await graded(stage, 2)
    await stage.mail()
    database, clock = stage.service.database, stage.clock
    today = clock().astimezone(stage.service.settings.report_timezone).date().isoformat()
    async with stage.resting():
        for kind, params, figure in (
            (RunKind.ANALYZE, {"chat_ids": ids, "force": True}, "analyzed_chats"),
            (RunKind.MAIL, {"date": today, "resend": True}, "send_reports"),
        ):
            first, second = [await submit(database, kind, clock, params=params) for _ in range(2)]
            done = [await work_off(stage, run_id) for run_id in (second, first)]
            assert [run["figures"][figure] for run in done] == [2, 0]
            assert f"(запуск {second}): сделанное им не повторялось" in done[1]["message"]
            assert "Такой же запрос" not in done[0]["message"]
    assert len(received(stage, BOSS)) == 2


# Syncs and second gradings


def pages_read(stage: Stage) -> int:
    """How many pages of chats' messages Avito has been asked for."""
    return sum("/messages" in request.path for request in stage.avito.requests)


async def test_every_chat_read_again_by_two_calls_at_once_is_read_once(stage: Stage, replica: Stage) -> None:
    chats = [stage.add_talk(*GOOD_TALK, title=f"Диван {number}", minutes_ago=300) for number in range(3)]
    await stage.sync()
    before = pages_read(stage)
    first, second = await asked_by_both(stage, replica, "/avito/sync", {"full": True})
    assert pages_read(stage) == before + len(chats)
    assert [answer["synced_chats"] for answer in (first, second)] == [3, 3]
    assert "Такой же запрос уже выполнялся" in second["message"]
    await stage.sync(full=True)
    assert pages_read(stage) == before + 2 * len(chats), "made after both have ended, it is carried out"


async def test_what_a_killed_reading_left_is_read_by_the_same_call(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK, minutes_ago=300)
    await stage.sync(full=True)
    await stage.change("UPDATE runs SET state = 'interrupted'")
    before = pages_read(stage)
    assert "Такой же запрос уже выполнялся" in (await stage.sync(full=True))["message"]
    assert pages_read(stage) == before + 1


async def test_reports_graded_again_by_two_calls_at_once_are_bought_once(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """The first made half of it, was interrupted, and its caller called again, twice."""
    await graded(stage, 4)
    database, clock = stage.service.database, stage.clock
    period = RegradePeriod(clock() - timedelta(days=1), clock() + timedelta(days=1), limit=4)
    asked_before = len(stage.sandbox.deepseek.requests)
    async with stage.resting():
        half = await submit(database, RunKind.ANALYZE, clock, params=replace(period, limit=2).as_params)
        await work_off(stage, half)
        await stage.change(
            "UPDATE runs SET state = 'interrupted', params = CAST(:params AS jsonb) WHERE id = :id",
            params=json.dumps(period.as_params),
            id=half,
        )
        calls = [await submit(database, RunKind.ANALYZE, clock, params=period.as_params) for _ in range(2)]
        done = [await work_off(stage, run_id) for run_id in calls]
        await show_regrades(database, calls[1])
        assert "(4 пары)" in capsys.readouterr().out, "what it did not make again it shows"
        again = await work_off(stage, await submit(database, RunKind.ANALYZE, clock, params=period.as_params))
    assert [run["figures"]["regraded_reports"] for run in (*done, again)] == [2, 0, 4]
    assert len(stage.sandbox.deepseek.requests) == asked_before + 2 + 2 + 4


# Mails


async def test_a_mail_repeated_by_two_calls_at_once_goes_once(stage: Stage, replica: Stage) -> None:
    await graded_day(stage)
    await stage.mail()
    first, second = await asked_by_both(stage, replica, "/timer/reports", {"resend": True})
    assert (first["send_reports"], second["send_reports"]) == (2, 0)
    assert "Такой же запрос уже выполнялся" in second["message"]
    assert "писем не было" not in second["message"]
    assert [len(received(stage, to)) for to in (BOSS, SECOND)] == [2, 2]
    assert (await stage.mail(resend=True))["send_reports"] == 2, "made after both have ended, it is carried out"
    assert len(received(stage, BOSS)) == 3


async def test_a_repeat_that_was_interrupted_is_finished_by_the_next_call(stage: Stage) -> None:
    """The service is stopped with the mail on the wire; the caller was told to call again."""
    await graded_day(stage)
    await stage.mail()
    stage.sandbox.smtp.switches.latency_seconds = 60
    first = await asked(stage, "/timer/reports", {"resend": True})

    async def on_the_wire() -> bool:
        return bool(await stage.rows("SELECT 1 FROM deliveries WHERE state = 'sending'"))

    await until(on_the_wire)
    async with stage.resting():
        stage.sandbox.smtp.switches.latency_seconds = 0
    assert "вызовите ещё раз" in (await first)["message"]
    answer = await stage.mail(resend=True)
    assert answer["send_reports"] == 2
    assert [len(received(stage, to)) for to in (BOSS, SECOND)] == [2, 2]
    assert len(await stage.rows("SELECT 1 FROM digests WHERE kind = 'resend'")) == 1
    (run,) = await stage.rows("SELECT id FROM runs WHERE state = 'done' ORDER BY id DESC LIMIT 1")
    shown = (await stage.rest.get(f"/api/v1/runs/{run['id']}")).json()
    assert {row["state"] for row in shown["deliveries"]} == {"sent"}
    assert (await stage.mail(resend=True))["send_reports"] == 2, "and that one has ended"
    assert len(received(stage, BOSS)) == 3


async def half_repeated(stage: Stage, state: str) -> None:
    """A repeat that has reached the first recipient and not the second, and whose process came to such an end."""
    await graded_day(stage)
    await stage.mail()
    stage.sandbox.smtp.switches.recipient_answers[SECOND] = "451 4.7.1 Try again later"
    await stage.post("/timer/reports", {"resend": True}, status=500)
    stage.sandbox.smtp.switches.recipient_answers.clear()
    lease = "now() - interval '1 minute'" if state == "running" else "NULL"
    last = "SELECT max(id) FROM runs"
    await stage.change(f"UPDATE runs SET state = :state, lease_until = {lease} WHERE id = ({last})", state=state)  # noqa: S608


async def test_the_first_recipient_of_an_interrupted_repeat_does_not_get_it_again(stage: Stage) -> None:
    for number, state in enumerate(("interrupted", "running"), 1):  # stopped; or killed, and its lease is over
        await half_repeated(stage, state)
        assert (await stage.mail(resend=True))["send_reports"] == 2 * number, "its caller was told of none"
        assert [len(received(stage, to)) for to in (BOSS, SECOND)] == [2 * number, 2 * number]


async def test_what_the_scheduler_has_finished_meanwhile_is_not_begun_again(stage: Stage) -> None:
    await half_repeated(stage, "interrupted")
    await stage.mail()  # as a retry of the scheduler's would
    answer = await stage.mail(resend=True)
    assert (answer["send_reports"], len(received(stage, BOSS))) == (0, 2)
    assert "ещё раз не отправлялось" in answer["message"]
    assert (await stage.mail(resend=True))["send_reports"] == 2, "the call that was interrupted has had its answer"


async def test_an_interruption_is_forgotten_in_time(stage: Stage) -> None:
    await half_repeated(stage, "interrupted")
    await stage.mail()
    stage.clock.move(seconds=CONTINUED_FOR.total_seconds() + 60)
    day = (await stage.rows("SELECT day FROM digests"))[0]["day"].isoformat()
    assert (await stage.mail(date=day, resend=True))["send_reports"] == 2
    assert len(received(stage, BOSS)) == 3


async def test_a_repeat_for_other_recipients_is_a_new_mail(stage: Stage, database_url: str) -> None:
    """The service was stopped to have an address added."""
    await half_repeated(stage, "interrupted")
    third = "third@example.ru"
    async with stage.resting(), on_stage(database_url, stage.sandbox, report_recipients=(BOSS, SECOND, third)) as more:
        assert (await more.mail(resend=True))["send_reports"] == 2
    assert len(received(stage, third)) == 1


async def test_an_interrupted_grading_is_finished_by_the_next_call(stage: Stage) -> None:
    ids = await graded(stage, 3)
    body = {"chat_ids": ids, "force": True}
    await stage.analyze(chat_ids=ids[:1], force=True)
    await stage.change(
        "UPDATE runs SET state = 'interrupted', params = jsonb_build_object('chat_ids', CAST(:ids AS text[]), 'force', true)"
        " WHERE id = (SELECT max(id) FROM runs)",
        ids=ids,
    )
    assert (await stage.analyze(**body))["analyzed_chats"] == 2
    assert (await stage.analyze(**body))["analyzed_chats"] == 3
