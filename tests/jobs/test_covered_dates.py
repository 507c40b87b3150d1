"""Each date is in exactly one daily mail.

This holds after failures of its run or mail step.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from uuid import uuid4

import pytest

from app.jobs.daily import DayPlan, run_day
from app.services.run_params import DailyParams, MailParams
from app.services.runs import Progress, RunContext, StepResult, submit, wait
from tests.support.daily_mails import BOSS, SECOND, list_mails, read_text
from tests.support.scheduler import (
    at,
    fetch_covered_dates,
    format_date,
    live_through,
    tick,
)
from tests.support.stage import GOOD_TALK, Stage, until


@asynccontextmanager
async def failing_insert(stage: Stage, table: str, *, times: int) -> AsyncIterator[None]:
    """Make the first ``times`` inserts into a table fail."""
    await stage.change("CREATE SEQUENCE failed_inserts")
    await stage.change(f"""
        CREATE FUNCTION fail_insert() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF nextval('failed_inserts') <= {times} THEN RAISE EXCEPTION 'out of luck'; END IF;
            RETURN NEW;
        END $$
        """)
    await stage.change(
        f"CREATE TRIGGER failing BEFORE INSERT ON {table} FOR EACH STATEMENT EXECUTE FUNCTION"
        " fail_insert()"
    )
    try:
        yield
    finally:
        await stage.change(f"DROP TRIGGER failing ON {table}")
        await stage.change("DROP FUNCTION fail_insert")
        await stage.change("DROP SEQUENCE failed_inserts")


async def test_dates_of_a_run_merged_twice_are_all_named(stage: Stage) -> None:
    """The run for three missed dates is not executed before the next date is due."""
    stage.clock.set(at(stage, 20))
    await live_through(stage, stage.clock())
    first = stage.clock()
    async with stage.resting():
        for later in (3, 5):
            stage.clock.set(first + timedelta(days=later))
            await tick(stage)
    day = await live_through(stage, stage.clock())
    assert (day["slot"], day["state"]) == (format_date(first, stage, 5), "done")
    missed = {format_date(first, stage, n): day["slot"] for n in range(1, 6)}
    assert await fetch_covered_dates(stage) == {
        format_date(first, stage): format_date(first, stage),
        **missed,
    }
    mail = read_text(list_mails(stage, BOSS)[-1])
    assert all(f"{slot[8:]}.{slot[5:7]}" in mail for slot in missed)


async def run_today(stage: Stage, plan: DayPlan) -> StepResult:
    """Execute today's daily run with this plan; its steps are executed by the worker."""
    slot, run = (
        format_date(stage.clock(), stage),
        "INSERT INTO runs (kind, slot, state, params, created_at, started_at, lease_until)",
    )
    await stage.change(
        f"{run} VALUES ('daily', :slot, 'running', '{{}}', now(), now(), now() + interval '1"
        " hour')",
        slot=slot,
    )
    (row,) = await stage.rows(
        "SELECT id FROM runs WHERE kind = 'daily' AND slot = :slot", slot=slot
    )
    context = RunContext(row["id"], slot, DailyParams(), uuid4(), stage.clock(), Progress())
    service = stage.service
    result = await run_day(
        service.database, plan, service.timetable.zone, stage.clock, service.worker.wake, context
    )
    await stage.change(
        "UPDATE runs SET state = 'failed', finished_at = now() WHERE id = :id", id=row["id"]
    )
    return result


@pytest.mark.parametrize("table", ["digests", "deliveries"])
async def test_mail_that_cannot_be_built_is_retried(stage: Stage, table: str) -> None:
    stage.clock.set(at(stage, 20))
    stage.add_talk(*GOOD_TALK)
    async with failing_insert(stage, table, times=2):
        result = await run_today(
            stage,
            DayPlan(timedelta(hours=1), timedelta(days=7), first_pause=timedelta(seconds=0.01)),
        )
    assert (result.ok, result.figures["send_reports"]) == (True, 1)
    assert [len(list_mails(stage, to)) for to in (BOSS, SECOND)] == [1, 1]
    assert len(await stage.rows("SELECT 1 FROM digests")) == 1


async def test_mail_with_an_unreachable_recipient_is_not_built_again(stage: Stage) -> None:
    stage.clock.set(at(stage, 20))
    stage.sandbox.smtp.switches.recipient_answers[SECOND] = "451 4.7.1 Try again later"
    result = await run_today(
        stage, DayPlan(timedelta(hours=1), timedelta(days=7), first_pause=timedelta(seconds=0.01))
    )
    assert not result.ok
    assert len(await stage.rows("SELECT 1 FROM runs WHERE kind = 'mail'")) == 1


async def test_date_of_a_failed_mail_is_named_in_the_next_mail(stage: Stage) -> None:
    stage.clock.set(at(stage, 20))
    stage.add_talk(*GOOD_TALK)
    first = stage.clock()
    async with failing_insert(stage, "digests", times=1):
        result = await run_today(
            stage, DayPlan(timedelta(hours=1), timedelta(days=7), first_pause=timedelta(hours=2))
        )
    assert (result.ok, await fetch_covered_dates(stage)) == (False, {})
    day = await live_through(stage, at(stage, 20, days_later=1))
    assert await fetch_covered_dates(stage) == {
        format_date(first, stage): day["slot"],
        day["slot"]: day["slot"],
    }
    assert len(await stage.reports(mail=format_date(first, stage))) == 1


async def test_mail_interrupted_before_rendering_is_completed(
    stage: Stage,
) -> None:
    """Figures and reports are assigned; bytes and deliveries are missing."""
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.analyze()
    async with failing_insert(stage, "deliveries", times=1):
        assert (await stage.post("/timer/reports", status=500))["send_reports"] == 0
    assert await stage.rows("SELECT 1 FROM reports WHERE digest_id IS NULL") == []
    answer = await stage.mail()
    assert (len(list_mails(stage, BOSS)), len(list_mails(stage, SECOND))) == (1, 1)
    assert answer["send_reports"] == 1, (
        "the call that reached the first recipient counts the reports"
    )


async def test_mail_that_cannot_be_rendered_does_not_block_others(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.analyze()
    async with failing_insert(stage, "deliveries", times=1):
        await stage.post("/timer/reports", status=500)
    await stage.change("UPDATE digests SET figures = figures - 'coverage'")
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.analyze()
    stage.clock.move(days=1)
    answer = await stage.post("/timer/reports", status=500)
    assert (
        answer["send_reports"],
        len(list_mails(stage, BOSS)),
        len(list_mails(stage, SECOND)),
    ) == (
        1,
        1,
        1,
    )
    assert "не составить" in answer["message"]


async def test_scheduler_completes_an_interrupted_mail(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.analyze()
    async with failing_insert(stage, "deliveries", times=1):
        await stage.post("/timer/reports", status=500)
    await tick(stage)
    assert stage.sandbox.smtp.messages == [], "the process may still be at it"
    stage.clock.move(minutes=6)
    await tick(stage)

    async def arrived() -> bool:
        return len(stage.sandbox.smtp.messages) == 2

    await until(arrived)


async def test_second_mail_of_a_covered_date_is_not_built(stage: Stage) -> None:
    """A process continues after a freeze; a later mail has covered its date meanwhile."""
    stage.clock.set(at(stage, 20))
    first = stage.clock()
    await live_through(stage, first)
    await live_through(stage, first + timedelta(days=3))
    mails = len(stage.sandbox.smtp.messages)
    params = MailParams(day=date.fromisoformat(format_date(first, stage, 1)), daily=True)
    run_id = await submit(stage.service.database, params, stage.clock)
    stage.service.worker.wake()
    assert (await wait(stage.service.database, run_id)).figures["send_reports"] == 0
    assert len(stage.sandbox.smtp.messages) == mails
