"""The jobs of the scheduler executed without it, and the daily runs that they queue."""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.clock import Clock
from app.database.engine import Database
from app.jobs.due_runs import Timetable
from app.jobs.scheduler import JOBS
from tests.support.stage import Stage, until


async def queue_due_runs(database: Database, timetable: Timetable, clock: Clock) -> None:
    """Queue every run that is due."""
    for queue_due_run in JOBS.values():
        async with database.transaction() as session:
            await queue_due_run(session, timetable, clock())


async def tick(stage: Stage) -> None:
    await queue_due_runs(stage.service.database, stage.service.timetable, stage.clock)
    stage.service.worker.wake()


async def list_daily_runs(stage: Stage) -> list[dict[str, Any]]:
    return await stage.rows(
        "SELECT id, slot, state, message, figures FROM runs WHERE kind = 'daily' ORDER BY slot"
    )


async def live_through(stage: Stage, moment: datetime) -> dict[str, Any]:
    """Set the clock, execute the jobs, and wait until the daily run has ended."""
    stage.clock.set(moment)
    await tick(stage)

    async def ended() -> bool:
        return bool(found := await list_daily_runs(stage)) and found[-1]["state"] in (
            "done",
            "failed",
        )

    await until(ended)
    return (await list_daily_runs(stage))[-1]


def at(stage: Stage, hour: int, days_later: int = 0) -> datetime:
    today = stage.clock().astimezone(stage.service.settings.report_timezone) + timedelta(
        days=days_later
    )
    return today.replace(hour=hour, minute=0, second=5, microsecond=0)


async def fetch_covered_dates(stage: Stage) -> dict[str, str]:
    """Return for each date the date of the mail that covers it."""
    rows = await stage.rows(
        "SELECT covered_dates.day, digest.day AS mail FROM covered_dates JOIN digests digest ON"
        " digest.id = digest_id ORDER BY 1"
    )
    return {row["day"].isoformat(): row["mail"].isoformat() for row in rows}


def format_date(moment: datetime, stage: Stage, days_later: int = 0) -> str:
    """Return the date of a moment in the zone of reports, as the slot of its daily run."""
    return (
        moment.astimezone(stage.service.settings.report_timezone).date()
        + timedelta(days=days_later)
    ).isoformat()


MOSCOW, BERLIN = ZoneInfo("Europe/Moscow"), ZoneInfo("Europe/Berlin")


EVENING = Timetable(time(20, 0), MOSCOW, timedelta(minutes=15))


def moscow(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=MOSCOW)
