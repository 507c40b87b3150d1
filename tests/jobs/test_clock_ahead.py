"""Daily runs, mails and syncs after the clock was ahead for a while."""

from datetime import datetime, timedelta
from typing import Any

from tests.support.daily_mails import BOSS, list_mails
from tests.support.scheduler import (
    at,
    fetch_covered_dates,
    format_date,
    list_daily_runs,
    live_through,
    tick,
)
from tests.support.stage import GOOD_TALK, Stage, until


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
    assert false["slot"] == format_date(first, stage, 3)
    stage.add_talk(*GOOD_TALK)
    for later in range(1, 5):
        day = await live_through_again(stage, first + timedelta(days=later))
        assert (day["slot"], day["state"]) == (format_date(first, stage, later), "done")
    assert await fetch_covered_dates(stage) == {
        format_date(first, stage, n): format_date(first, stage, n) for n in range(5)
    }
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
    slot = format_date(moment, stage)

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
    assert await fetch_covered_dates(stage) == {
        format_date(first, stage, n): format_date(first, stage, n) for n in range(2)
    }
    (failed,) = await stage.rows(
        "SELECT slot, params, message FROM runs WHERE kind = 'daily' AND state = 'failed'"
    )
    assert (failed["slot"], failed["params"]["clock_slot"]) == (None, format_date(first, stage, 40))
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
