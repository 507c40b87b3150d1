"""All jobs of the scheduler, executed once without it."""

from app.clock import Clock
from app.database.engine import Database
from app.jobs.scheduler import JOBS
from app.jobs.tick import Timetable


async def ask_for_what_is_due(database: Database, timetable: Timetable, clock: Clock) -> None:
    """Queue every run that is due."""
    for queue_due_run in JOBS.values():
        async with database.transaction() as session:
            await queue_due_run(session, timetable, clock())
