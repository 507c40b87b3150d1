"""Due runs by the clock: each date once, missed dates, and daylight saving changes."""

from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from app.database.engine import Database
from app.jobs.due_runs import Timetable, find_newest_due_day, find_next_report_time
from app.models import RunKind
from app.repositories import runs
from tests.support.scheduler import BERLIN, EVENING, MOSCOW, moscow, queue_due_runs


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (moscow(22, 19, 59), date(2026, 11, 21)),
        (moscow(22, 20, 0), date(2026, 11, 22)),
        (moscow(22, 23, 59), date(2026, 11, 22)),
        (moscow(23, 0, 1), date(2026, 11, 22)),
    ],
)
def test_newest_due_date(now: datetime, due: date) -> None:
    assert find_newest_due_day(EVENING, now.astimezone(UTC)) == due
    assert find_next_report_time(EVENING, now) == datetime.combine(
        due + timedelta(days=1), time(20), MOSCOW
    )


def test_each_date_is_due_once_across_daylight_saving() -> None:
    """Every minute around both changes in Berlin.

    The report time does not exist on one date and occurs twice on the other.
    """
    table = Timetable(time(2, 30), BERLIN, timedelta(minutes=15))
    for first in (datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC)):
        days = [
            find_newest_due_day(table, first + timedelta(minutes=minute))
            for minute in range(3 * 24 * 60)
        ]
        assert days == sorted(days)
        assert {later - earlier for earlier, later in pairwise(days)} == {
            timedelta(0),
            timedelta(days=1),
        }
        assert len(set(days)) == 4


async def dailies(database: Database) -> list[tuple[str | None, str]]:
    async with database.session() as session:
        return sorted(
            (run.slot, run.state)
            for run in await runs.list_runs(session, limit=100)
            if run.kind == RunKind.DAILY
        )


async def tick(database: Database, now: datetime) -> None:
    await queue_due_runs(database, EVENING, lambda: now)


async def test_only_today_is_due_without_earlier_runs(database: Database) -> None:
    await tick(database, moscow(22, 12))
    assert await dailies(database) == []
    await tick(database, moscow(22, 20))
    await tick(database, moscow(22, 20, 1))
    assert await dailies(database) == [("2026-11-22", "queued")]


async def test_missed_dates_become_one_run_of_the_newest(database: Database) -> None:
    await tick(database, moscow(18, 21))
    await tick(database, moscow(22, 9))
    merged = [
        ("2026-11-18", "merged"),
        ("2026-11-19", "merged"),
        ("2026-11-20", "merged"),
        ("2026-11-21", "queued"),
    ]
    assert await dailies(database) == merged
    async with database.session() as session:
        newest = await runs.get_run_by_slot(session, RunKind.DAILY, "2026-11-21")
        assert newest is not None
        merged_runs = await runs.list_children(session, newest.id)
        assert [run.slot for run in merged_runs] == ["2026-11-18", "2026-11-19", "2026-11-20"]


async def test_changed_report_time_queues_no_second_run(database: Database) -> None:
    await tick(database, moscow(22, 20))
    later = Timetable(time(22, 0), ZoneInfo("Asia/Yekaterinburg"), timedelta(minutes=15))
    await queue_due_runs(database, later, lambda: moscow(22, 23))
    assert await dailies(database) == [("2026-11-22", "queued")]


def _same(moment: datetime) -> datetime:
    return moment


async def end_all(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE runs SET state = 'done', finished_at = created_at WHERE state = 'queued'")
        )


@pytest.mark.parametrize("back", [timedelta(minutes=30), timedelta(hours=2)])
async def test_clock_set_back_over_midnight_queues_no_second_run(
    database: Database, back: timedelta
) -> None:
    night = Timetable(time(0, 30), MOSCOW, timedelta(minutes=15))
    first = moscow(22, 0, 31)
    for moment in (first, first - back, first - back / 2, first, first + timedelta(days=1)):
        await queue_due_runs(database, night, partial(_same, moment))
        await end_all(database)
    assert await dailies(database) == [("2026-11-22", "done"), ("2026-11-23", "done")]


@pytest.mark.parametrize(
    "zone",
    [
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Africa/Cairo",
        "America/Santiago",
    ],
)
async def test_each_date_has_one_run_across_daylight_saving(database: Database, zone: str) -> None:
    """Both changes of 2026.

    The report time is within the hour that is skipped or occurs twice.
    """
    table = Timetable(
        time(1, 45) if zone == "Australia/Lord_Howe" else time(0, 30),
        ZoneInfo(zone),
        timedelta(hours=1),
    )
    for first in _changes_of_2026(table.zone):
        for half_hours in range(-52, 52):
            moment = first + timedelta(minutes=30 * half_hours)
            await queue_due_runs(database, table, partial(_same, moment))
            await end_all(database)
    async with database.session() as session:
        slots = list(
            await session.scalars(text("SELECT slot FROM runs WHERE kind = 'daily' ORDER BY slot"))
        )
    days = [date.fromisoformat(slot) for slot in slots]
    assert [later - earlier for earlier, later in pairwise(days)] == [timedelta(days=1)] * (
        len(days) - 1
    )
    assert len(days) > 100


def _changes_of_2026(zone: ZoneInfo) -> list[datetime]:
    hours = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in range(365 * 24)]
    return [
        later
        for earlier, later in pairwise(hours)
        if earlier.astimezone(zone).utcoffset() != later.astimezone(zone).utcoffset()
    ]


async def test_sync_is_queued_once_an_interval_and_does_not_accumulate(
    database: Database,
) -> None:
    for minute in (0, 5, 14, 16, 31):
        await tick(database, moscow(22, 12, minute))
    async with database.session() as session:
        assert [run.slot for run in await runs.list_runs(session, limit=10)] == [
            "2026-11-22T09:00:00+00:00"
        ]
