"""A caller who waits for a run gets a response within seconds of a lasting outage."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import system_clock
from app.database.engine import Database
from app.errors import DatabaseUnavailableError
from app.services.run_params import SyncParams
from app.services.runs import submit, wait


class Away(Database):
    """A database that answers, refuses or hangs as configured."""

    hangs = away = False

    @asynccontextmanager
    async def session(self, *, within: float | None = None) -> AsyncIterator[AsyncSession]:
        if self.hangs:
            await asyncio.Event().wait()
        if self.away:
            raise DatabaseUnavailableError("Postgres недоступен")
        async with super().session(within=within) as session:
            yield session


@pytest.mark.parametrize("how", ["hangs", "away"])
async def test_lasting_outage_ends_the_wait(
    database: Database, database_url: str, how: str
) -> None:
    run_id = await submit(database, SyncParams(), system_clock)
    away = Away(database_url)
    setattr(away, how, True)
    with pytest.raises(DatabaseUnavailableError, match=f"GET /api/v1/runs/{run_id}"):
        await asyncio.wait_for(wait(away, run_id, away_seconds=0.5, read_seconds=0.2), 20)
    await away.close()


@pytest.mark.parametrize("how", ["hangs", "away"])
async def test_short_outage_does_not_end_the_wait(
    database: Database, database_url: str, how: str
) -> None:
    run_id = await submit(database, SyncParams(), system_clock)
    away = Away(database_url)
    setattr(away, how, True)
    waiting = asyncio.create_task(wait(away, run_id, read_seconds=0.2))
    await asyncio.sleep(0.5)
    async with database.transaction() as session:
        await session.execute(text("UPDATE runs SET state = 'done'"))
    setattr(away, how, False)
    assert (await asyncio.wait_for(waiting, 20)).state == "done"
    await away.close()
