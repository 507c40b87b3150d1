"""The day: sync, grading and mail in one, once, whatever fails on the way."""

import time
from datetime import timedelta
from uuid import uuid4

from app.jobs.daily import DayPlan, run_day
from app.sandbox.avito import LocalAvito
from app.sandbox.deepseek_faults import BAD_REQUEST, BALANCE_EMPTY
from app.sandbox.faults import ReceivedRequest
from app.sandbox.server import Sandbox
from app.services.run_params import DailyParams, MailParams
from app.services.runs import Progress, RunContext, submit, wait
from tests.support.daily_mails import BOSS, list_mails, read_text
from tests.support.scheduler import at, days, live_through, tick
from tests.support.stage import BAD_TALK, GOOD_TALK, MovableClock, Stage, on_stage, until


async def test_the_day_is_run_once_and_mails_once(stage: Stage) -> None:
    stage.clock.set(at(stage, 18))
    stage.add_talk(*GOOD_TALK)
    stage.add_talk(*BAD_TALK, title="Шкаф")
    day = await live_through(stage, at(stage, 20))
    assert day["state"] == "done"
    assert {"synced_chats": 2, "analyzed_chats": 2, "send_reports": 2}.items() <= day[
        "figures"
    ].items()
    assert len(list_mails(stage, BOSS)) == 1
    for _ in range(3):
        await tick(stage)
    assert len(await days(stage)) == 1
    assert (await stage.mail())["send_reports"] == 0
    run = (await stage.rest.get(f"/api/v1/runs/{day['id']}")).json()
    assert [(step["kind"], step["state"]) for step in run["steps"]] == [
        ("sync", "done"),
        ("analyze", "done"),
        ("mail", "done"),
    ]
    assert {(row["recipient"], row["state"]) for row in run["deliveries"]} == {
        ("boss@example.ru", "sent"),
        ("second@example.ru", "sent"),
    }


async def test_a_day_without_chats_is_mailed_all_the_same(stage: Stage) -> None:
    day = await live_through(stage, at(stage, 20))
    assert (day["state"], day["figures"]["send_reports"]) == ("done", 0)
    assert len(list_mails(stage, BOSS)) == 1


async def test_days_missed_are_made_up_for_by_one_mail_that_names_them(stage: Stage) -> None:
    await live_through(stage, at(stage, 20))
    stage.clock.move(days=3)
    stage.add_talk(*GOOD_TALK)
    day = await live_through(stage, at(stage, 23))
    assert [row["state"] for row in await days(stage)] == ["done", "merged", "merged", "done"]
    mail = read_text(list_mails(stage, BOSS)[-1])
    for row in (await days(stage))[1:]:
        year, month, date = row["slot"].split("-")
        assert f"{date}.{month}" in mail, year
    assert day["figures"]["send_reports"] == 1


async def test_what_is_missing_is_said_when_the_deadline_is_over(database_url: str) -> None:
    """The balance is empty: the mail goes at the deadline, red, and the chats wait for the next
    day.
    """
    async with (
        Sandbox(avito=LocalAvito()) as sandbox,
        on_stage(database_url, sandbox, MovableClock(), run_deadline_minutes=0.25) as stage,
    ):
        stage.clock.set(at(stage, 18))
        stage.add_talk(*GOOD_TALK)
        sandbox.deepseek.switches.fail(BAD_REQUEST, times=1)
        await stage.sync()
        await stage.analyze()
        stage.add_talk(*GOOD_TALK)
        empty = sandbox.deepseek.switches.fail(BALANCE_EMPTY, path="chat/completions", times=None)
        day = await live_through(stage, at(stage, 20))
        assert day["state"] == "failed"
        mail = read_text(list_mails(stage, BOSS)[0]).replace("\u00a0", " ")
        assert "Анализ: На счету DeepSeek кончились деньги" in mail, (
            "the banner says what is missing"
        )
        assert "с ошибкой 1 + ждут 1" in mail
        assert mail.count("с ошибкой") == mail.count("ждут") == 1, (
            "and leaves counting to the line that adds up"
        )
        empty.times = 0
        stage.clock.move(days=9)
        day = await live_through(stage, at(stage, 20))
        assert day["figures"]["analyzed_chats"] == 2, (
            "a chat left waiting is taken however old it has become"
        )


async def test_a_day_that_has_reached_its_budget_says_so_and_has_not_failed(
    database_url: str,
) -> None:
    async with (
        Sandbox(avito=LocalAvito()) as sandbox,
        on_stage(
            database_url, sandbox, MovableClock(), deepseek_daily_budget_usd="0.000001"
        ) as stage,
    ):
        stage.clock.set(at(stage, 18))
        stage.add_talk(*GOOD_TALK)
        day = await live_through(stage, at(stage, 20))
        assert (day["state"], day["figures"]["waiting_chats"], len(sandbox.deepseek.requests)) == (
            "done",
            1,
            0,
        )
        mail = read_text(list_mails(stage, BOSS)[0])
        assert "Анализ: остатка дневного бюджета DeepSeek" in mail
        assert mail.count("НЕ ВСЁ ПОЛУЧИЛОСЬ") == 1


class Seconds:
    """A monotonic clock that goes on and can be moved ahead."""

    now = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.now


async def test_the_cause_is_said_also_where_the_deadline_cuts_the_next_attempt_off(
    stage: Stage,
) -> None:
    """The balance is empty in the first attempt; in the second Avito keeps the sync waiting until
    the deadline is over.
    """
    service, clock, hour = stage.service, stage.clock, timedelta(hours=1)
    await stage.change(
        "INSERT INTO runs (kind, slot, state, params, created_at, lease_until)"
        " VALUES ('daily', '2026-11-22', 'running', '{}', now(), now() + interval '1 hour')"
    )
    run = RunContext(1, "2026-11-22", DailyParams(), uuid4(), clock(), Progress())
    passed = Seconds()

    def late(_: ReceivedRequest) -> bool:
        passed.now += hour.total_seconds() - 3
        stage.avito.switches.latency_seconds = 60
        return True

    stage.add_talk(*GOOD_TALK)
    stage.sandbox.deepseek.switches.fail(BALANCE_EMPTY, when=late)
    plan = DayPlan(hour, 24 * hour, first_pause=timedelta(seconds=0.01))
    done = await run_day(
        service.database,
        plan,
        service.timetable.zone,
        clock,
        service.worker.wake,
        run,
        monotonic=passed,
    )
    assert not done.ok
    assert "Синхронизация: к сроку не закончено" in done.message
    assert (
        "Анализ: срок дня вышел. Сделанное сохранено. До этого: На счету DeepSeek кончились деньги"
        in done.message
    )


async def test_the_day_does_not_buy_the_import_of_an_old_account(stage: Stage) -> None:
    """Chats older than GRADE_WITHIN_DAYS are left to a call by a person."""
    stage.add_talk(*GOOD_TALK, minutes_ago=60 * 24 * 30)
    stage.add_talk(*GOOD_TALK, minutes_ago=60 * 24 * 2)
    day = await live_through(stage, at(stage, 20))
    assert day["figures"]["analyzed_chats"] == 1
    assert (await stage.analyze())["analyzed_chats"] == 1


async def test_a_lost_mail_server_is_tried_again_by_the_scheduler(stage: Stage) -> None:
    stage.clock.set(at(stage, 18))
    stage.add_talk(*GOOD_TALK)
    stage.sandbox.smtp.switches.refuse_connections = True
    assert (await live_through(stage, at(stage, 20)))["state"] == "failed"
    stage.sandbox.smtp.switches.refuse_connections = False
    await tick(stage)
    stage.clock.move(minutes=6)
    await tick(stage)

    async def arrived() -> bool:
        return len(stage.sandbox.smtp.messages) == 2

    await until(arrived)
    assert {mail.recipients[0] for mail in stage.sandbox.smtp.messages} == {
        "boss@example.ru",
        "second@example.ru",
    }


async def test_what_was_copied_late_is_counted_in_the_next_mail(stage: Stage) -> None:
    """Written before the cut-off of a day on which Avito was away, copied after it: it must be in
    some mail's N.
    """
    stage.clock.set(at(stage, 18))
    stage.add_talk(*GOOD_TALK, minutes_ago=30)
    stage.add_talk(("client", "Есть кто живой?"), minutes_ago=20)
    day = stage.clock().astimezone(stage.service.settings.report_timezone).date()
    stage.clock.set(at(stage, 20))
    params = MailParams(day=day, daily=True, covered_days=(day,))
    run_id = await submit(stage.service.database, params, stage.clock)
    stage.service.worker.wake()
    await wait(stage.service.database, run_id)
    assert [
        row["figures"]["coverage"]["graded"]
        for row in await stage.rows("SELECT figures FROM digests")
    ] == [0]
    await live_through(stage, at(stage, 20, days_later=1))
    figures = (await stage.rows("SELECT figures FROM digests ORDER BY id"))[-1]["figures"]
    assert (figures["coverage"]["graded"], sum(figures["coverage"]["skipped"].values())) == (1, 1)
    await live_through(stage, at(stage, 20, days_later=1))
    figures = (await stage.rows("SELECT figures FROM digests ORDER BY id"))[-1]["figures"]
    assert (figures["coverage"]["graded"], figures["coverage"]["skipped"]) == (0, {}), (
        "and only in one"
    )
