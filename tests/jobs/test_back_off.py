"""The database fails while a worker executes runs.

A failed run is not started again at once, no wait is unlimited, and nothing is lost.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.database.engine import Database
from app.errors import DatabaseUnavailableError
from app.jobs.heartbeat import Heartbeat
from app.jobs.worker import Worker
from app.models import Run, RunKind, RunState
from app.repositories import run_leases
from app.services.run_params import RunParams, SyncParams
from app.services.runs import RunContext, StepResult, require_run, submit
from tests.support.leases import CLOCK, expire_lease
from tests.support.stage import until

SLOT = "2026-11-22T12:00:00+00:00"


async def fail(run: RunContext[RunParams]) -> StepResult:
    """Fail as a step does if the disk is full or no connection is free."""
    raise DatabaseUnavailableError("нет места")


async def succeed(run: RunContext[RunParams]) -> StepResult:
    return StepResult(ok=True, message="", figures={})


@asynccontextmanager
async def at_work(worker: Worker) -> AsyncIterator[None]:
    work = asyncio.create_task(worker.work_forever())
    try:
        yield
    finally:
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work


def failing(database: Database) -> Worker:
    worker = Worker(database, CLOCK)
    worker.register_steps({RunKind.SYNC: fail})
    return worker


async def pause_of(database: Database, run_id: int) -> float:
    """Return the seconds until the run can be claimed."""
    async with database.session() as session:
        statement = text("SELECT extract(epoch FROM not_before - now()) FROM runs WHERE id = :id")
        return float(await session.scalar(statement, {"id": run_id}) or 0)


async def change(database: Database, sql: str) -> None:
    async with database.transaction() as session:
        await session.execute(text(sql))


async def returned(database: Database, run_id: int, times: int) -> Run:
    async def so_often() -> bool:
        run = await require_run(database, run_id)
        return run.returned_count == times and run.state == RunState.QUEUED

    await until(so_often)
    return await require_run(database, run_id)


async def test_pause_of_a_failing_run_grows_for_every_replica(database: Database) -> None:
    run_id = await submit(database, SyncParams(), CLOCK, slot=SLOT)
    for times in range(1, 8):
        async with at_work(failing(database)):  # a new replica each time, without state in memory
            await returned(database, run_id, times)
            pause = await pause_of(database, run_id)
        assert 0 < pause <= min(2**times, 60)
        assert times < 4 or pause > min(2 ** (times - 1), 30)
        assert (await run_leases.find_work(database)).claimable == set()
        await change(database, "UPDATE runs SET not_before = now()")
    assert (await run_leases.find_work(database)).claimable == {"sync"}


async def test_next_run_of_a_failing_kind_also_waits(
    database: Database,
) -> None:
    for _ in range(20):
        await submit(database, SyncParams(), CLOCK)
    worker = failing(database)

    async def ended() -> int:
        async with database.session() as session:
            return int(
                await session.scalar(text("SELECT count(*) FROM runs WHERE state = 'interrupted'"))
                or 0
            )

    async def one() -> bool:
        return await ended() > 0

    async with at_work(worker):
        await until(one)
        for _ in range(20):
            worker.wake()
            await asyncio.sleep(0.01)
        assert await ended() <= 3


async def test_run_released_by_a_stopping_process_can_be_claimed_at_once(
    database: Database,
) -> None:
    run_id = await submit(database, SyncParams(), CLOCK, slot=SLOT)
    async with at_work(failing(database)):
        await returned(database, run_id, 1)
    await change(database, "UPDATE runs SET not_before = now()")
    begun = asyncio.Event()

    async def work_on_and_on(run: RunContext[RunParams]) -> StepResult:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    worker = Worker(database, CLOCK)
    worker.register_steps({RunKind.SYNC: work_on_and_on})
    async with at_work(worker):
        await asyncio.wait_for(begun.wait(), 20)
    run = await require_run(database, run_id)
    assert (run.state, run.not_before) == ("queued", None)


async def test_worker_gives_up_a_blocked_claim_and_its_connection(
    database_url: str,
) -> None:
    """The worker is stale until a claim succeeds."""
    database, heartbeat = Database(database_url), Heartbeat()
    run_id = await submit(database, SyncParams(), CLOCK)
    worker = Worker(database, CLOCK, database_seconds=0.3, heartbeat=heartbeat)
    worker.register_steps({RunKind.SYNC: succeed})

    async def done() -> bool:
        return (await require_run(database, run_id)).state == RunState.DONE

    async def given_up() -> bool:
        statement = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname ="
            " current_database()"
        )
        async with database.session() as session:
            return not await session.scalar(text(statement))

    async with database.transaction() as session:
        await session.execute(text("LOCK TABLE runs IN ACCESS EXCLUSIVE MODE"))
        async with at_work(worker):
            await asyncio.sleep(1)
            age = heartbeat.age_seconds
            assert age is not None
            assert age >= 1, "no success yet"
            await until(given_up)
            await session.rollback()
            worker.wake()
            await until(done)
            assert (heartbeat.age_seconds or 0) < age
    assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    await database.close()


class LostAtCommit(Database):
    """A database whose first transaction commits, but the connection breaks before the reply."""

    broken = False

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        async with super().transaction() as session:
            yield session
        if not self.broken:
            self.broken = True
            raise DatabaseUnavailableError("соединение оборвалось")


async def test_run_with_an_unacknowledged_claim_is_executed_after_its_lease(
    database: Database, database_url: str
) -> None:
    run_id = await submit(database, SyncParams(), CLOCK, slot=SLOT)
    lossy = LostAtCommit(database_url)
    worker = Worker(lossy, CLOCK)
    worker.register_steps({RunKind.SYNC: succeed})

    async def claimed() -> bool:
        return (await require_run(database, run_id)).state == RunState.RUNNING

    async def done() -> bool:
        return (await require_run(database, run_id)).state == RunState.DONE

    async with at_work(worker):
        await until(claimed)
        await expire_lease(database, run_id)
        worker.wake()
        await until(done)
    await lossy.close()


async def test_step_that_ignores_cancellation_makes_the_worker_stale_until_it_ends(
    database: Database,
) -> None:
    """The step continues after its lease is lost.

    After half a minute the process is not ready, whatever the queue contains.
    """
    let_go = asyncio.Event()

    async def deaf(run: RunContext[RunParams]) -> StepResult:
        while not let_go.is_set():
            with suppress(asyncio.CancelledError):
                await let_go.wait()
        return StepResult(ok=True, message="", figures={})

    heartbeat = Heartbeat()
    worker = Worker(database, CLOCK, stuck_seconds=0.5, heartbeat=heartbeat)
    worker.register_steps({RunKind.SYNC: deaf})
    run_id = await submit(database, SyncParams(), CLOCK)

    async def running() -> bool:
        return (await require_run(database, run_id)).state == RunState.RUNNING

    async def stale() -> bool:
        worker.wake()
        return (heartbeat.age_seconds or 0) > 1

    async def fresh() -> bool:
        return not await stale()

    async with at_work(worker):
        await until(running)
        await change(database, "UPDATE runs SET lease_token = NULL")
        await until(stale)
        let_go.set()
        await until(fresh)


async def test_pause_applies_to_scheduled_runs_but_not_to_requested_ones(
    database: Database,
) -> None:
    await submit(database, SyncParams(), CLOCK, slot=SLOT)
    await change(database, "UPDATE runs SET not_before = now() + interval '1 minute'")
    await submit(database, SyncParams(), CLOCK, slot="2026-11-22T12:15:00+00:00")

    async def claimed() -> int | None:
        async with database.transaction() as session:
            run = await run_leases.claim_run(session, RunKind.SYNC, uuid4(), now=CLOCK())
            return run.id if run else None

    assert await claimed() is None
    assert (await run_leases.find_work(database)).claimable == set()
    by_hand = await submit(database, SyncParams(), CLOCK)
    assert (await run_leases.find_work(database)).claimable == {"sync"}
    assert await claimed() == by_hand
