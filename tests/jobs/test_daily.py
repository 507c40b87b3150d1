"""The daily run: sync, grading and mail, executed once despite failures."""

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
from tests.support.scheduler import at, list_daily_runs, live_through, tick
from tests.support.stage import BAD_TALK, GOOD_TALK, MovableClock, Stage, on_stage, until


async def test_daily_run_and_its_mail_happen_once(stage: Stage) -> None:
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
    assert len(await list_daily_runs(stage)) == 1
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


async def test_day_without_chats_is_mailed(stage: Stage) -> None:
    day = await live_through(stage, at(stage, 20))
    assert (day["state"], day["figures"]["send_reports"]) == ("done", 0)
    assert len(list_mails(stage, BOSS)) == 1


async def test_missed_days_are_in_one_mail_that_names_them(stage: Stage) -> None:
    await live_through(stage, at(stage, 20))
    stage.clock.move(days=3)
    stage.add_talk(*GOOD_TALK)
    day = await live_through(stage, at(stage, 23))
    assert [row["state"] for row in await list_daily_runs(stage)] == [
        "done",
        "merged",
        "merged",
        "done",
    ]
    mail = read_text(list_mails(stage, BOSS)[-1])
    for row in (await list_daily_runs(stage))[1:]:
        year, month, date = row["slot"].split("-")
        assert f"{date}.{month}" in mail, year
    assert day["figures"]["send_reports"] == 1


async def test_mail_sent_at_the_deadline_names_what_is_missing(database_url: str) -> None:
    """The balance is empty: the mail is sent at the deadline with a warning.

    The chats wait for the next day.
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


async def test_day_that_reached_its_budget_reports_it_and_succeeds(
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


class MovableMonotonic:
    """A monotonic clock that runs and can be moved ahead."""

    now = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.now


async def test_cause_is_reported_if_the_deadline_interrupts_the_next_attempt(
    stage: Stage,
) -> None:
    """In the first attempt the balance is empty.

    In the second attempt Avito delays the sync until the deadline is over.
    """
    service, clock, hour = stage.service, stage.clock, timedelta(hours=1)
    await stage.change(
        "INSERT INTO runs (kind, slot, state, params, created_at, lease_until)"
        " VALUES ('daily', '2026-11-22', 'running', '{}', now(), now() + interval '1 hour')"
    )
    run = RunContext(1, "2026-11-22", DailyParams(), uuid4(), clock(), Progress())
    passed = MovableMonotonic()

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


async def test_daily_run_does_not_grade_old_chats(stage: Stage) -> None:
    """Chats older than GRADE_WITHIN_DAYS are graded only on request."""
    stage.add_talk(*GOOD_TALK, minutes_ago=60 * 24 * 30)
    stage.add_talk(*GOOD_TALK, minutes_ago=60 * 24 * 2)
    day = await live_through(stage, at(stage, 20))
    assert day["figures"]["analyzed_chats"] == 1
    assert (await stage.analyze())["analyzed_chats"] == 1


async def test_scheduler_retries_after_a_mail_server_outage(stage: Stage) -> None:
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


async def test_message_copied_late_is_counted_in_the_next_mail(stage: Stage) -> None:
    """It was written before the cut-off, while Avito was unavailable, and copied after it."""
    stage.clock.set(at(stage, 18))
    stage.add_talk(*GOOD_TALK, minutes_ago=30)
    stage.add_talk(("client", "Есть кто живой?"), minutes_ago=20)
    day = stage.clock().astimezone(stage.service.settings.report_timezone).date()
    stage.clock.set(at(stage, 20))
    params = MailParams(day=day, daily=True)
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
