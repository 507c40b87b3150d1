"""Conversations that are still going on wait, and nothing about them is lost, paid for or failed.

Half an hour of working time is the default.
"""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.database.engine import Database
from app.sandbox.avito import LocalAvito
from app.sandbox.deepseek_faults import BAD_REQUEST, UNAUTHORIZED
from app.sandbox.server import Sandbox
from tests.support.digests import figures, read_attachment
from tests.support.estimates import estimate_grading
from tests.support.scheduler import at, live_through
from tests.support.stage import GOOD_TALK, Stage, on_stage

ASKING = (*GOOD_TALK, ("client", "А доставка есть?"))
THANKING = (*GOOD_TALK, ("client", "Спасибо!"))
SATURDAY = datetime(2026, 11, 21, 20, 0, 5, tzinfo=ZoneInfo("Europe/Moscow"))


async def count_outcomes(stage: Stage, **body: Any) -> tuple[int, int, int, int]:
    answer = await stage.analyze(**body)
    return (
        answer["analyzed_chats"],
        answer["skipped_chats"],
        answer["failed_chats"],
        answer["waiting_chats"],
    )


async def read_reason(stage: Stage, chat_id: str) -> tuple[str, str | None]:
    found = (await stage.rest.get(f"/api/v1/chats/{chat_id}")).json()
    return found["outcome"], found["outcome_reason"]


async def read_metric(stage: Stage, name: str) -> float:
    lines = (await stage.rest.get("/metrics")).text.splitlines()
    return next(
        float(line.split()[1]) for line in lines if line.startswith(f"avito_quality_{name} ")
    )


@pytest.mark.parametrize("talk", [ASKING, THANKING, (("client", "Ещё продаёте?"),)])
async def test_chat_waits_until_it_has_settled(stage: Stage, talk: Any) -> None:
    """Also after a question without any answer, and after a "thank you" that ends the talk."""
    chat = stage.add_talk(*talk, minutes_ago=29)
    await stage.sync()
    assert await read_reason(stage, chat.id) == ("waiting", "разговор ещё идёт"), "before a run"
    answer = await stage.analyze()
    assert (answer["status"], answer["waiting_chats"]) == ("success", 1)
    assert "ждут: 1 (разговор ещё идёт: 1)" in answer["message"]
    assert stage.sandbox.deepseek.requests == []
    (row,) = await stage.rows("SELECT outcome, outcome_code, failures FROM chats")
    assert row == {"outcome": "waiting", "outcome_code": "settling", "failures": 0}
    assert await read_reason(stage, chat.id) == ("waiting", "разговор ещё идёт")
    assert (await read_metric(stage, "chats_due"), await read_metric(stage, "chats_settling")) == (
        1,
        1,
    )
    stage.clock.move(minutes=2)
    assert await read_reason(stage, chat.id) == ("waiting", None), "it waits for its turn"
    assert await read_metric(stage, "chats_settling") == 0
    analyzed, skipped, *others = await count_outcomes(stage)
    assert (analyzed + skipped, others) == (1, [0, 0])
    assert await count_outcomes(stage) == (0, 0, 0, 0)


async def test_answer_of_the_company_ends_the_wait(stage: Stage) -> None:
    chat = stage.add_talk(*ASKING, minutes_ago=2)
    await stage.sync()
    assert await count_outcomes(stage) == (0, 0, 0, 1)
    stage.avito.add_message(chat.id, "company", text="Да, за 500 рублей.")
    await stage.sync()
    assert await read_reason(stage, chat.id) == ("waiting", None)
    assert await count_outcomes(stage) == (1, 0, 0, 0)


async def test_further_message_of_the_buyer_prolongs_the_wait(stage: Stage) -> None:
    chat = stage.add_talk(*ASKING, minutes_ago=20)
    stage.clock.move(minutes=20)
    stage.avito.add_message(chat.id, "client", text="Ау?", at=stage.clock())
    await stage.sync()
    assert await count_outcomes(stage) == (0, 0, 0, 1)
    stage.clock.move(minutes=31)
    assert await count_outcomes(stage) == (1, 0, 0, 0)
    (report,) = await stage.reports()
    assert report["client_messages"] == 4


async def test_graded_chat_waits_again_and_keeps_its_report(stage: Stage) -> None:
    chat = stage.add_talk(*GOOD_TALK)
    await stage.sync()
    assert await count_outcomes(stage) == (1, 0, 0, 0)
    stage.avito.add_message(chat.id, "client", text="А доставка есть?")
    await stage.sync()
    assert await count_outcomes(stage) == (0, 0, 0, 1)
    assert len(await stage.reports()) == 1
    stage.clock.move(minutes=31)
    assert await count_outcomes(stage) == (1, 0, 0, 0)


async def test_only_force_with_chat_ids_does_not_wait(stage: Stage) -> None:
    chat = stage.add_talk(*ASKING, minutes_ago=2)
    await stage.sync()
    assert await count_outcomes(stage, chat_ids=[chat.id]) == (0, 0, 0, 1)
    assert await count_outcomes(stage, force=True) == (0, 0, 0, 1)
    assert await count_outcomes(stage, chat_ids=[chat.id], force=True) == (1, 0, 0, 0)
    assert await count_outcomes(stage) == (0, 0, 0, 0)


async def test_forced_failure_stays_a_failure_while_the_chat_is_settling(stage: Stage) -> None:
    chat = stage.add_talk(*ASKING, minutes_ago=2)
    await stage.sync()
    stage.sandbox.deepseek.switches.fail(
        BAD_REQUEST, when=lambda request: "А доставка" in str(request.body)
    )
    assert await count_outcomes(stage, chat_ids=[chat.id], force=True) == (0, 0, 1, 0)
    reason = await read_reason(stage, chat.id)
    assert reason[0] == "failed"
    assert await count_outcomes(stage) == (0, 0, 0, 0), "it is failed and does not wait too"
    assert await count_outcomes(stage, force=True) == (0, 0, 0, 0)
    assert await read_reason(stage, chat.id) == reason
    assert await stage.rows("SELECT failures FROM chats") == [{"failures": 1}], "it costs no try"
    stage.clock.move(minutes=31)
    assert await count_outcomes(stage) == (1, 0, 0, 0)


async def test_every_place_counts_a_failed_settling_chat_as_failed_only(stage: Stage) -> None:
    stage.clock.set(at(stage, 19))
    stage.add_talk(*GOOD_TALK)
    failed, waiting = (stage.add_talk(*ASKING, minutes_ago=minutes) for minutes in (2, 3))
    await stage.sync()
    stage.sandbox.deepseek.switches.fail(BAD_REQUEST, when=lambda r: "А доставка" in str(r.body))
    assert await count_outcomes(stage, chat_ids=[failed.id], force=True) == (0, 0, 1, 0)
    answer = await stage.analyze()
    assert "ждут: 1 (разговор ещё идёт: 1)" in answer["message"]
    names = ("analyzed_chats", "skipped_chats", "failed_chats", "waiting_chats")
    assert [answer[name] for name in names] == [1, 0, 0, 1]
    assert [(await read_reason(stage, chat.id))[0] for chat in (failed, waiting)] == [
        "failed",
        "waiting",
    ]
    metrics = ("chats_due", "chats_failed", "chats_settling")
    assert [await read_metric(stage, name) for name in metrics] == [2, 1, 1]
    assert (await estimate_grading(stage)).settling == 1
    await stage.mail()
    assert (await figures(stage))["coverage"] == {
        "graded": 1,
        "skipped": {},
        "failed": 1,
        "waiting": 1,
    }
    stage.avito.add_message(failed.id, "client", text="Ау?", at=stage.clock())
    await stage.sync()
    assert await count_outcomes(stage) == (0, 0, 0, 2), "the failure is of an older message"
    assert [await read_metric(stage, name) for name in metrics] == [2, 0, 2]


async def test_forced_chat_that_was_skipped_does_not_wait_with_nothing_new(stage: Stage) -> None:
    """It is not due any more, so no run would grade it after the wait."""
    chat = stage.add_talk(("client", "Ещё продаёте?"), minutes_ago=2)
    await stage.sync()
    assert await count_outcomes(stage, chat_ids=[chat.id], force=True) == (0, 1, 0, 0)
    assert await count_outcomes(stage, force=True) == (0, 1, 0, 0)
    assert await read_reason(stage, chat.id) == ("skipped", "нет ответа компании")


async def test_limit_counts_settled_chats_only(stage: Stage) -> None:
    for minutes in (200, 100):
        stage.add_talk(*GOOD_TALK, minutes_ago=minutes)
    stage.add_talk(*(("client", f"Вопрос {number}") for number in range(200)), minutes_ago=5)
    await stage.sync()
    assert await count_outcomes(stage, limit=1) == (1, 0, 0, 2)
    assert await count_outcomes(stage, limit=1) == (1, 0, 0, 1)
    assert await count_outcomes(stage, limit=1) == (0, 0, 0, 1)


async def test_estimate_leaves_settling_chats_out(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK)
    stage.add_talk(*ASKING, minutes_ago=5)
    await stage.sync()
    estimate = await estimate_grading(stage)
    assert (estimate.windows, estimate.settling) == (1, 1)


@pytest.mark.parametrize(("minutes", "waiting"), [(2, 1), (60, 0)])
async def test_message_from_the_future(stage: Stage, minutes: int, waiting: int) -> None:
    """A clock may differ a little. A time that is far from now says nothing about the talk."""
    stage.add_talk(*ASKING, minutes_ago=-minutes)
    await stage.sync()
    assert await count_outcomes(stage) == (1 - waiting, 0, 0, waiting)


async def test_zero_minutes_disable_the_wait(stage: Stage, database_url: str) -> None:
    stage.add_talk(*ASKING, minutes_ago=0)
    async with (
        stage.resting(),
        on_stage(database_url, stage.sandbox, settle_minutes=0) as hasty,
    ):
        await hasty.sync()
        assert await count_outcomes(hasty) == (1, 0, 0, 0)


async def test_refused_key_stops_the_run_and_the_settling_chat_keeps_its_reason(
    stage: Stage,
) -> None:
    stage.clock.set(at(stage, 19))
    stage.add_talk(*GOOD_TALK)
    asking = stage.add_talk(*ASKING, minutes_ago=5)
    stage.sandbox.deepseek.switches.fail(UNAUTHORIZED)
    await stage.sync()
    answer = await stage.post("/llm/analyze", status=500)
    assert answer["waiting_chats"] == 2
    assert await read_reason(stage, asking.id) == ("waiting", "разговор ещё идёт")


async def test_daily_run_waits_over_the_weekend_and_loses_nothing(
    database_url: str, shared_pool: Database
) -> None:
    """The buyer wrote on Saturday evening. On Monday evening only an older message counts as new.

    GRADE_WITHIN_DAYS is one day, and a daily run has ended since.
    """
    async with (
        Sandbox(avito=LocalAvito()) as sandbox,
        on_stage(
            database_url,
            sandbox,
            pool=shared_pool,
            working_hours="Пн-Пт 09:00-18:00",
            grade_within_days=1,
        ) as stage,
    ):
        stage.clock.set(SATURDAY)
        chat = stage.add_talk(*THANKING, minutes_ago=100)
        for days_later in (0, 1):
            day = await live_through(stage, SATURDAY + timedelta(days=days_later))
            assert (day["state"], day["figures"]["waiting_chats"]) == ("done", 1)
            coverage = (await figures(stage))["coverage"]
            assert coverage == {"graded": 0, "skipped": {}, "failed": 0, "waiting": 1}
            text = stage.last_mail().replace("\u00a0", " ")
            assert "Чатов: 1 = оценено 0 + пропущено 0 + с ошибкой 0 + ждут 1" in text
            assert "ждут 1 (разговор ещё идёт: 1)" in text
            assert "Не всё получилось" not in text
            assert await read_reason(stage, chat.id) == ("waiting", "разговор ещё идёт")
        day = await live_through(stage, SATURDAY + timedelta(days=2))
        assert (day["state"], day["figures"]["analyzed_chats"]) == ("done", 1)


async def test_mail_lists_settling_and_queued_chats_apart(stage: Stage) -> None:
    stage.clock.set(at(stage, 19))
    for minutes in (200, 100):
        stage.add_talk(*GOOD_TALK, minutes_ago=minutes)
    settling = stage.add_talk(*ASKING, minutes_ago=5)
    await stage.sync()
    await stage.analyze(limit=1)
    await stage.mail()
    assert "ждут 2 (разговор ещё идёт: 1, очередь на оценку: 1)" in stage.last_mail().replace(
        "\u00a0", " "
    )
    _, _, ungraded = read_attachment(stage)
    assert {row["chat_id"]: (row["status"], row["reason"]) for row in ungraded}[settling.id] == (
        "ждёт оценки",
        "разговор ещё идёт",
    )


async def test_mail_of_a_past_date_does_not_count_a_chat_of_today(stage: Stage) -> None:
    stage.clock.set(at(stage, 12))
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.analyze()
    yesterday = stage.clock().astimezone(stage.service.settings.report_timezone).date()
    stage.clock.set(at(stage, 12, days_later=1))
    stage.add_talk(*ASKING, minutes_ago=5)
    await stage.sync()
    assert await count_outcomes(stage) == (0, 0, 0, 1)
    await stage.mail(date=yesterday.isoformat())
    assert (await figures(stage))["coverage"] == {
        "graded": 1,
        "skipped": {},
        "failed": 0,
        "waiting": 0,
    }
