"""Each date is in exactly one daily mail.

This holds after failures of its run or mail step and after changes of the clock.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from app.jobs.daily import DayPlan, run_day
from app.repositories import covered_dates
from app.services.run_params import DailyParams, MailParams
from app.services.runs import Progress, RunContext, StepResult, submit, wait
from tests.support.daily_mails import BOSS, SECOND, list_mails, read_text
from tests.support.scheduler import at, list_daily_runs, live_through, tick
from tests.support.stage import GOOD_TALK, Stage, until


async def covered(stage: Stage) -> dict[str, str]:
    """Return for each date the date of the mail that covers it."""
    rows = await stage.rows(
        "SELECT covered_dates.day, digest.day AS mail FROM covered_dates JOIN digests digest ON"
        " digest.id = digest_id ORDER BY 1"
    )
    return {row["day"].isoformat(): row["mail"].isoformat() for row in rows}


def iso(moment: datetime, stage: Stage, days_later: int = 0) -> str:
    return (
        moment.astimezone(stage.service.settings.report_timezone).date()
        + timedelta(days=days_later)
    ).isoformat()


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
    assert (day["slot"], day["state"]) == (iso(first, stage, 5), "done")
    missed = {iso(first, stage, n): day["slot"] for n in range(1, 6)}
    assert await covered(stage) == {iso(first, stage): iso(first, stage), **missed}
    mail = read_text(list_mails(stage, BOSS)[-1])
    assert all(f"{slot[8:]}.{slot[5:7]}" in mail for slot in missed)


async def run_today(stage: Stage, plan: DayPlan) -> StepResult:
    """Execute today's daily run with this plan; its steps are executed by the worker."""
    slot, run = (
        iso(stage.clock(), stage),
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
    assert (result.ok, await covered(stage)) == (False, {})
    day = await live_through(stage, at(stage, 20, days_later=1))
    assert await covered(stage) == {iso(first, stage): day["slot"], day["slot"]: day["slot"]}
    assert len(await stage.reports(mail=iso(first, stage))) == 1


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


async def test_clock_that_is_briefly_ahead_abandons_no_recipient(stage: Stage) -> None:
    """The clock moves three days ahead after one try."""
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.analyze()
    stage.sandbox.smtp.switches.refuse_connections = True
    now = stage.clock()
    await stage.post("/timer/reports", status=500)
    stage.clock.move(days=40)
    await stage.post("/timer/reports", status=500)
    stage.clock.set(now)
    stage.sandbox.smtp.switches.refuse_connections = False
    await stage.mail()
    assert len(stage.sandbox.smtp.messages) == 2


async def test_date_first_run_by_a_clock_ahead_gets_its_own_mail_later(
    stage: Stage,
) -> None:
    stage.clock.set(at(stage, 20))
    first = stage.clock()
    await live_through(stage, first)
    false = await live_through(stage, first + timedelta(days=3, hours=1))
    assert false["slot"] == iso(first, stage, 3)
    stage.add_talk(*GOOD_TALK)
    for later in range(1, 5):
        day = await live_through_again(stage, first + timedelta(days=later))
        assert (day["slot"], day["state"]) == (iso(first, stage, later), "done")
    assert await covered(stage) == {iso(first, stage, n): iso(first, stage, n) for n in range(5)}
    assert len(list_mails(stage, BOSS)) == 6, "one a date, and the one of the false date"
    mailed = [
        row["figures"]["reports"]
        for row in await stage.rows(
            "SELECT figures FROM digests WHERE day = :day", day=first.date() + timedelta(days=1)
        )
    ]
    assert mailed == [1]


async def live_through_again(stage: Stage, moment: datetime) -> dict[str, Any]:
    """Do the same as ``live_through`` if the table has runs of later dates."""
    stage.clock.set(moment)
    await tick(stage)
    slot = iso(moment, stage)

    async def ended() -> bool:
        return bool(
            await stage.rows(
                "SELECT 1 FROM runs WHERE kind = 'daily' AND slot = :slot AND state IN ('done',"
                " 'failed')",
                slot=slot,
            )
        )

    await until(ended)
    return next(row for row in await list_daily_runs(stage) if row["slot"] == slot)


async def test_run_of_a_future_date_sends_no_mail(stage: Stage) -> None:
    """The clock is corrected before the run's mail step.

    Missed dates that were merged into the run are due again.
    """
    stage.clock.set(at(stage, 20))
    first = stage.clock()
    await live_through(stage, first)
    async with stage.resting():
        stage.clock.set(first + timedelta(days=40))
        await tick(stage)
        stage.clock.set(first + timedelta(days=1, hours=1))
    stage.service.worker.wake()

    async def ended() -> bool:
        return bool(
            await stage.rows("SELECT 1 FROM runs WHERE kind = 'daily' AND state = 'failed'")
        )

    await until(ended)
    day = await live_through_again(stage, stage.clock())
    assert day["state"] == "done"
    assert await covered(stage) == {iso(first, stage, n): iso(first, stage, n) for n in range(2)}
    (failed,) = await stage.rows(
        "SELECT slot, params, message FROM runs WHERE kind = 'daily' AND state = 'failed'"
    )
    assert (failed["slot"], failed["params"]["clock_slot"]) == (None, iso(first, stage, 40))
    assert "Часы" in failed["message"]


async def test_reports_created_by_a_clock_ahead_are_in_the_next_mail(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK)
    now = stage.clock()
    await stage.sync()
    stage.clock.move(days=2)
    await stage.analyze()
    stage.clock.set(now)
    assert (await stage.mail())["send_reports"] == 1


async def test_sync_is_due_again_after_the_clock_was_ahead(stage: Stage) -> None:
    """Slots of two hours were used ahead of time; those of the next half hour stay used."""

    async def syncs() -> int:
        return len(await stage.rows("SELECT 1 FROM runs WHERE kind = 'sync' AND slot IS NOT NULL"))

    async def idle() -> bool:
        return not await stage.rows("SELECT 1 FROM runs WHERE state IN ('queued', 'running')")

    now = at(stage, 12)
    for minutes in range(0, 120, 15):
        stage.clock.set(now + timedelta(minutes=minutes))
        await tick(stage)
        await until(idle)
    stage.clock.set(now)
    before = await syncs()
    for minutes in range(30, 120, 15):
        stage.clock.set(now + timedelta(minutes=minutes))
        await tick(stage)
        await until(idle)
    slots = [
        row["slot"]
        for row in await stage.rows(
            "SELECT slot FROM runs WHERE kind = 'sync' AND slot IS NOT NULL"
        )
    ]
    assert len(slots) == len(set(slots)) == before
    assert len(await stage.rows("SELECT 1 FROM runs WHERE kind = 'sync' AND slot IS NULL")) >= 4


async def test_mails_of_the_previous_release_cover_their_dates(stage: Stage) -> None:
    """Processes of the previous release store no covered dates, also after the migration."""
    stage.clock.set(at(stage, 20))
    day = await live_through(stage, stage.clock())
    await stage.change("DELETE FROM covered_dates")
    missed = date.fromisoformat(day["slot"]) - timedelta(days=1)
    await stage.change(
        "UPDATE digests SET figures = figures || jsonb_build_object('covered_days',"
        " to_jsonb(CAST(:days AS text[])))",
        days=[missed.isoformat(), day["slot"]],
    )
    async with stage.service.database.transaction() as session:
        assert await covered_dates.is_mailed(session, missed)
        assert (
            await covered_dates.list_uncovered(session, until=date.fromisoformat(day["slot"])) == []
        )


async def test_second_mail_of_a_covered_date_is_not_built(stage: Stage) -> None:
    """A process continues after a freeze; a later mail has covered its date meanwhile."""
    stage.clock.set(at(stage, 20))
    first = stage.clock()
    await live_through(stage, first)
    await live_through(stage, first + timedelta(days=3))
    mails = len(stage.sandbox.smtp.messages)
    params = MailParams(day=date.fromisoformat(iso(first, stage, 1)), daily=True)
    run_id = await submit(stage.service.database, params, stage.clock)
    stage.service.worker.wake()
    assert (await wait(stage.service.database, run_id)).figures["send_reports"] == 0
    assert len(stage.sandbox.smtp.messages) == mails
