"""The real scheduler: every job queues its run, also after a clock jump."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from app.clock import system_clock
from app.database.engine import Database
from app.jobs.clock_watch import ClockWatch
from app.jobs.heartbeat import Heartbeat
from app.jobs.scheduler import JOBS, Scheduler, watch_clock
from app.sandbox.avito import LocalAvito
from app.sandbox.server import Sandbox
from tests.support.daily_mails import BOSS, grade_day, list_mails
from tests.support.scheduler import EVENING, moscow
from tests.support.stage import MovableClock, Stage, on_stage, until

AFTER_REPORT_TIME = moscow(22, 20, 1).astimezone(UTC)


async def slots(stage: Stage, kind: str) -> list[str]:
    rows = await stage.rows(
        "SELECT slot FROM runs WHERE kind = :kind AND parent_id IS NULL ORDER BY id", kind=kind
    )
    return [row["slot"] for row in rows]


def showing(moment: datetime) -> MovableClock:
    clock = MovableClock()
    clock.set(moment)
    return clock


async def test_each_job_queues_its_run(database_url: str) -> None:
    """The daily run, the sync of the interval, and a delivery of a dead process."""
    async with Sandbox(avito=LocalAvito()) as sandbox:
        async with on_stage(database_url, sandbox, showing(moscow(22, 10))) as stage:
            await grade_day(stage)
            await stage.mail()
            owed_at = moscow(22, 10, 5)
            await stage.change(
                "UPDATE deliveries SET state = 'sending', next_try_at = :at WHERE recipient = :to",
                at=owed_at,
                to=BOSS,
            )
            await stage.change("UPDATE digests SET mime = 'Subject: x'::bytea")
        async with on_stage(
            database_url, sandbox, showing(AFTER_REPORT_TIME), scheduler_enabled=True
        ) as stage:

            async def queued() -> bool:
                kinds = [await slots(stage, kind) for kind in ("daily", "sync", "mail")]
                return all(any(kind) for kind in kinds) and len(list_mails(stage, BOSS)) == 2

            await until(queued)
            assert await slots(stage, "daily") == ["2026-11-22"]
            assert [slot for slot in await slots(stage, "sync") if slot] == [
                "2026-11-22T17:00:00+00:00"
            ]
            (retry,) = [slot for slot in await slots(stage, "mail") if slot]
            assert retry.startswith("retry 2026-11-22T17:0")


async def test_job_that_is_never_executed_makes_the_scheduler_stale(database: Database) -> None:
    """The other jobs succeed meanwhile."""
    heartbeat = Heartbeat()
    scheduler = Scheduler(database, EVENING, system_clock, wake=lambda: None, heartbeat=heartbeat)
    scheduler.start()
    try:
        assert (
            {job.id for job in scheduler.apscheduler.get_jobs()}
            == {"daily_report", "sync", "mail_retries"}
            == set(JOBS)
        )
        scheduler.apscheduler.remove_job("mail_retries")
        started = heartbeat.age_seconds
        assert started is not None
        await asyncio.sleep(0.3)
        assert (heartbeat.age_seconds or 0) > started
    finally:
        scheduler.stop()
    assert heartbeat.age_seconds is None


@pytest.mark.parametrize("move", [timedelta(days=40), timedelta(hours=26), -timedelta(hours=2)])
async def test_clock_jump_executes_the_jobs_at_once(database_url: str, move: timedelta) -> None:
    async with (
        Sandbox(avito=LocalAvito()) as sandbox,
        on_stage(database_url, sandbox, showing(moscow(22, 12)), scheduler_enabled=True) as stage,
    ):

        async def sync_of(moment: datetime) -> bool:
            return moment.isoformat() in await slots(stage, "sync")

        async def first() -> bool:
            return await sync_of(datetime(2026, 11, 22, 9, tzinfo=UTC))

        await until(first)
        with capture_logs() as logs:
            stage.clock.move(seconds=move.total_seconds())

            async def second() -> bool:
                return await sync_of(datetime(2026, 11, 22, 9, tzinfo=UTC) + move)

            await until(second, seconds=10)  # the jobs' own interval is longer
        jumps = [entry["jump_seconds"] for entry in logs if entry["event"] == "clock.jumped"]
        assert jumps == [pytest.approx(move.total_seconds(), abs=2)]
        clock = (await stage.rest.get("/health/ready")).json()["clock"]
        assert (clock["status"], clock["jumps"], clock["jump_seconds"]) == ("jumped", 1, jumps[0])
        assert datetime.fromisoformat(clock["at"]) == pytest.approx(
            stage.clock(), abs=timedelta(seconds=20)
        )
        metrics = (await stage.rest.get("/metrics")).text
        assert "avito_quality_clock_jumps_total 1.0" in metrics
        assert "avito_quality_clock_offset_seconds" in metrics


async def test_job_planned_by_a_clock_ahead_is_executed(
    database: Database,
) -> None:
    """The clock was 40 days ahead, so APScheduler would wait until that date."""
    executed = asyncio.Event()
    scheduler = Scheduler(database, EVENING, system_clock, wake=executed.set, heartbeat=Heartbeat())
    scheduler.start()
    watching = asyncio.create_task(watch_clock(ClockWatch(system_clock), scheduler))
    try:
        await asyncio.wait_for(executed.wait(), 20)
        for job in scheduler.apscheduler.get_jobs():
            job.modify(next_run_time=system_clock() + timedelta(days=40))
        executed.clear()

        async def planned() -> bool:
            return all(
                job.next_run_time < system_clock() + timedelta(minutes=1)
                for job in scheduler.apscheduler.get_jobs()
            )

        await until(planned, seconds=10)
        await asyncio.wait_for(executed.wait(), 10)
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        scheduler.stop()


def test_small_clock_steps_add_up() -> None:
    clock, seconds = showing(AFTER_REPORT_TIME), [0.0]
    watch = ClockWatch(clock, lambda: seconds[0])
    noticed = []
    for _ in range(4):
        clock.move(seconds=2)
        noticed.append(watch.look())
    assert [jump and round(jump.seconds) for jump in noticed] == [None, None, 6, None]
    assert watch.jumps == 1
    seconds[0] += 3601
    clock.move(seconds=3601)
    assert watch.look() is None
    assert watch.recent is None, "it is told for an hour"
