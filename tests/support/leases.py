"""Leases of runs that expire on demand."""

from app.database.engine import Database
from app.repositories import runs
from tests.support.stage import MovableClock

CLOCK = MovableClock()


async def expire_lease(database: Database, run_id: int) -> None:
    async with database.transaction() as session:
        run = await runs.get_run(session, run_id)
        assert run is not None
        assert run.lease_until is not None
        run.lease_until = run.lease_until.replace(year=2020)
