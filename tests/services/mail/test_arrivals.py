"""Arrivals that the database does not take at once: kept, written later, sent once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import pytest
from sqlalchemy import make_url, text

from app.database.engine import Database
from app.services.run_params import MailParams
from app.services.runs import RunContext
from tests.support.daily_mails import BOSS, list_mails
from tests.support.mail_runs import (
    Process,
    begin_slow_delivery,
    create_unsent_delivery,
    expire_claims,
    fetch_deliveries,
    lose_lease,
    wait_for_delivery_state,
    wait_for_unwritten_arrivals,
)
from tests.support.stage import Stage

LockOut = Callable[[bool], Awaitable[None]]


@pytest.fixture
def lock_out(cluster_url: str, database_url: str) -> LockOut:
    """Return a function that blocks or unblocks the database, connections included."""

    async def set_blocked(blocked: bool) -> None:
        url = make_url(cluster_url)
        connection = await asyncpg.connect(
            user=url.username,
            password=url.password,
            database=url.database,
            host=str(url.query["host"]),
        )
        try:
            name = make_url(database_url).database
            await connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {not blocked}")
            if blocked:
                await connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
                    name,
                )
        finally:
            await connection.close()

    return set_blocked


@asynccontextmanager
async def lose_run_and_database(
    idle_stage: Stage, database_url: str, lock_out: LockOut
) -> AsyncIterator[tuple[Process, RunContext[MailParams]]]:
    """Yield a process that has lost its run, and its database before it could write the arrival."""
    process, run, step = await begin_slow_delivery(idle_stage, Database(database_url), BOSS)
    await lock_out(True)
    await wait_for_unwritten_arrivals(process, 1)
    lose_lease(run)
    step.cancel()
    with pytest.raises(asyncio.CancelledError):
        await step
    yield process, run
    await process.database.close()


async def test_acknowledged_arrival_is_kept_until_the_database_is_back(
    idle_stage: Stage, database_url: str, lock_out: LockOut
) -> None:
    """It outlives its run and keeps the process alive."""
    async with lose_run_and_database(idle_stage, database_url, lock_out) as (
        process,
        run,
    ):
        await asyncio.sleep(1)
        assert process.arrivals.unwritten == 1
        await lock_out(False)
        await wait_for_unwritten_arrivals(process, 0)
        assert (await fetch_deliveries(idle_stage))[BOSS]["state"] == "sent"
        assert (await process.resume(run)).figures["send_reports"] == 2
        assert len(list_mails(idle_stage, BOSS)) == 1


async def test_unwritten_arrival_is_not_sent_again_by_its_process(
    idle_stage: Stage, process: Process
) -> None:
    """Even if its claim has expired because the database first came back read-only."""
    number = await create_unsent_delivery(idle_stage, process, BOSS)
    waiting = asyncio.create_task(process.arrivals.write(number, wait_forever))
    await wait_for_unwritten_arrivals(process, 1)
    result = await process.mail()
    assert "ответ почтового сервера ещё не записан" in result.message
    assert list_mails(idle_stage, BOSS) == []
    waiting.cancel()


async def test_process_killed_with_an_unwritten_arrival_leaves_its_claim(
    idle_stage: Stage, database: Database, database_url: str, lock_out: LockOut
) -> None:
    """The identical bytes are sent again only when no process can be waiting for the reply.

    SMTP offers no better guarantee.
    """
    async with lose_run_and_database(idle_stage, database_url, lock_out) as (
        process,
        run,
    ):
        async with process.arrivals:
            pass  # the end of the process
        await lock_out(False)
        idle_stage.sandbox.smtp.switches.dot_latencies.clear()
        next_process = Process(idle_stage, database, recipients=(BOSS,))
        assert not (await next_process.resume(run)).ok
        assert len(list_mails(idle_stage, BOSS)) == 1
        await expire_claims(idle_stage)
        assert (await next_process.resume(run)).figures["send_reports"] == 2
        first, again = list_mails(idle_stage, BOSS)
        assert first.data == again.data


async def test_lock_on_the_mails_does_not_delay_an_arrival(
    idle_stage: Stage, database: Database, database_url: str
) -> None:
    """A process killed while the lock is held loses nothing.

    Its mail is not sent again, and the resumed run counts it.
    """
    process, run, step = await begin_slow_delivery(idle_stage, Database(database_url), BOSS)
    async with database.session() as session:
        await session.execute(text("LOCK TABLE digests IN EXCLUSIVE MODE"))
        await wait_for_delivery_state(idle_stage, BOSS, "sent")
        step.cancel()
        with pytest.raises(asyncio.CancelledError):
            await step
        async with process.arrivals:
            pass  # the end of the process
    await process.database.close()
    assert (await Process(idle_stage, database, recipients=(BOSS,)).resume(run)).figures[
        "send_reports"
    ] == 2
    assert len(list_mails(idle_stage, BOSS)) == 1


async def wait_forever() -> None:
    await asyncio.Event().wait()
