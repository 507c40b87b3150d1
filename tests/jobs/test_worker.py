"""Runs executed by several processes.

No run is executed twice or lost, also if a lease expires or is lost.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.database.engine import Database
from app.jobs.worker import Worker
from app.models import RunKind, RunState
from app.repositories import run_leases, runs
from app.sandbox.server import Sandbox
from app.services.run_params import MailParams, RunParams, SyncParams
from app.services.runs import RunContext, StepResult, require_run, submit, wait
from tests.support.leases import CLOCK, expire_lease
from tests.support.stage import GOOD_TALK, KEY, Stage, on_stage, until


async def claim(database: Database, kind: RunKind = RunKind.SYNC) -> tuple[int | None, uuid.UUID]:
    token = uuid.uuid4()
    async with database.transaction() as session:
        run = await run_leases.claim_run(session, kind, token, now=CLOCK())
    return (run.id if run else None), token


async def test_one_run_of_a_kind_is_executed_at_a_time(database: Database) -> None:
    first = await submit(database, SyncParams(), CLOCK)
    second = await submit(database, SyncParams(), CLOCK)
    other = await submit(database, MailParams(), CLOCK)
    run_id, token = await claim(database)
    assert run_id == first
    assert (await claim(database))[0] is None
    assert (await claim(database, RunKind.MAIL))[0] == other
    async with database.transaction() as session:
        await run_leases.end_run(
            session,
            first,
            token,
            RunState.DONE,
            now=CLOCK(),
            message="",
            figures={},
            done=0,
            total=0,
        )
    assert (await claim(database))[0] == second


async def test_one_of_many_concurrent_claims_succeeds(database: Database) -> None:
    run_id = await submit(database, SyncParams(), CLOCK)
    async with database.transaction() as session:
        await session.execute(
            text("ANALYZE runs")
        )  # as autovacuum does: the planner assumes one row from now on
    await submit(database, SyncParams(), CLOCK)
    claimed = [
        found for found, _ in await asyncio.gather(*(claim(database) for _ in range(8))) if found
    ]
    assert claimed == [run_id]


async def test_waiting_caller_is_notified_when_a_run_ends(database: Database) -> None:
    async def work(run: RunContext[RunParams]) -> StepResult:
        return StepResult(ok=True, message="", figures={})

    worker = Worker(database, CLOCK)
    worker.register_steps({RunKind.SYNC: work})
    working = asyncio.create_task(worker.work_forever())
    for _ in range(2):
        told = asyncio.create_task(worker.wait_run_finished())
        run_id = await submit(database, SyncParams(), CLOCK)
        worker.wake()
        await asyncio.wait_for(told, 20)
        assert (await require_run(database, run_id)).state == RunState.DONE
    working.cancel()
    with suppress(asyncio.CancelledError):
        await working


class StoppedAtCommit(Database):
    """A database that cancels a task between a commit and the task's next step."""

    task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        async with super().transaction() as session:
            yield session
        if self.task:
            self.task.cancel()
            await asyncio.sleep(0)


async def test_run_claimed_during_the_stop_is_released(
    database: Database, database_url: str
) -> None:
    run_id = await submit(database, SyncParams(), CLOCK)
    stopped = StoppedAtCommit(database_url)

    async def work_on_and_on(run: RunContext[RunParams]) -> StepResult:
        await asyncio.Event().wait()
        raise AssertionError

    worker = Worker(stopped, CLOCK)
    worker.register_steps({RunKind.SYNC: work_on_and_on})
    stopped.task = asyncio.create_task(worker.work_forever())
    with suppress(asyncio.CancelledError):
        await stopped.task
    await stopped.close()
    run = await require_run(database, run_id)
    assert (run.state, run.message) == (
        "interrupted",
        "Прервано: службу остановили посреди работы. Сделанное сохранено, вызовите ещё раз.",
    )


async def test_expired_scheduled_run_is_claimed_by_another_worker_and_fenced(
    database: Database,
) -> None:
    run_id = await submit(database, SyncParams(), CLOCK, slot="2026-11-22T12:00:00+00:00")
    _, dead = await claim(database)
    await expire_lease(database, run_id)
    taken, alive = await claim(database)
    assert taken == run_id
    async with database.transaction() as session:
        assert not await run_leases.renew_lease(session, run_id, dead, figures={}, done=1, total=1)
        await run_leases.end_run(
            session,
            run_id,
            dead,
            RunState.DONE,
            now=CLOCK(),
            message="ложь",
            figures={},
            done=1,
            total=1,
        )
        assert await run_leases.renew_lease(
            session, run_id, alive, figures={"n": 1}, done=0, total=1
        )
    async with database.session() as session:
        run = await runs.get_run(session, run_id)
    assert run is not None
    assert (run.state, run.figures, run.message) == ("running", {"n": 1}, None)


async def test_expired_requested_run_ends_as_interrupted(database: Database) -> None:
    run_id = await submit(database, SyncParams(), CLOCK)
    await claim(database)
    await expire_lease(database, run_id)
    assert (await claim(database))[0] is None
    run = await wait(database, run_id)
    assert run.state == "interrupted"
    assert run.finished_at is not None
    assert run.message


async def test_two_replicas_grade_each_chat_once(full_stage: Stage, database_url: str) -> None:
    """Both get the same request.

    One does the work; the other waits and reports that.
    """
    async with on_stage(database_url, full_stage.sandbox) as other:
        await full_stage.sync()
        answers = await asyncio.gather(
            full_stage.analyze(), other.analyze(), full_stage.mail(), other.sync()
        )
        chats = await full_stage.rows("SELECT count(*) AS n FROM chats WHERE outcome = 'graded'")
        assert sorted(answer["analyzed_chats"] for answer in answers[:2]) == [0, chats[0]["n"]]
        assert len(full_stage.sandbox.deepseek.requests) >= chats[0]["n"]
        assert (await full_stage.rows("SELECT count(*) AS n FROM reports"))[0]["n"] == chats[0]["n"]
        mails = await asyncio.gather(full_stage.mail(), other.mail())
        brought = sum(answer["send_reports"] for answer in mails) + answers[2]["send_reports"]
        assert brought == chats[0]["n"]


async def test_concurrent_sync_hides_no_chat_from_the_grading(
    full_stage: Stage, database_url: str
) -> None:
    """The message pass holds locks on half of the chats while the run claims the due ones."""
    await full_stage.sync()
    async with full_stage.service.database.transaction() as session:
        await session.execute(text("SELECT FROM chats WHERE id % 2 = 0 FOR UPDATE"))
        grading = asyncio.create_task(full_stage.analyze())

        async def held_up() -> bool:
            waiting = (
                "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname ="
                " current_database()"
            )
            return bool(await full_stage.rows(waiting))

        await until(held_up)
    answer = await grading
    assert answer["waiting_chats"] == 0
    assert answer["analyzed_chats"] + answer["skipped_chats"] == len(
        full_stage.avito.accounts[0].chats
    )


async def test_stopped_service_releases_a_scheduled_run_for_the_next_one(
    database_url: str,
) -> None:
    async with Sandbox() as sandbox:
        sandbox.avito.switches.latency_seconds = 0.05
        async with on_stage(database_url, sandbox) as first:
            run_id = await submit(
                first.service.database, SyncParams(), first.clock, slot="2026-11-22T12:00:00+00:00"
            )
            first.service.worker.wake()

            async def under_way() -> bool:
                return bool(await first.rows("SELECT 1 FROM messages LIMIT 1"))

            await until(under_way)
        sandbox.avito.switches.latency_seconds = 0
        async with on_stage(database_url, sandbox) as second:
            run = await wait(second.service.database, run_id)
            assert run.state == "done"
            stored = await second.rows("SELECT count(*) AS n FROM messages")
            assert stored[0]["n"] == sum(
                len(chat.messages) for chat in sandbox.avito.accounts[0].chats.values()
            )


async def test_step_that_ignores_the_first_cancellation_is_cancelled_again(
    database: Database,
) -> None:
    """In Python 3.11 a mail transfer can ignore it; the process must still end."""

    async def deaf(run: RunContext[RunParams]) -> StepResult:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()
        raise AssertionError

    worker = Worker(database, CLOCK)
    worker.register_steps({RunKind.SYNC: deaf})
    run_id = await submit(database, SyncParams(), CLOCK)
    work = asyncio.create_task(worker.work_forever())

    async def begun() -> bool:
        return (await require_run(database, run_id)).state == RunState.RUNNING

    await until(begun)
    work.cancel()
    await asyncio.wait({work}, timeout=20)
    assert work.cancelled()
    assert (await require_run(database, run_id)).state == RunState.INTERRUPTED


async def test_disconnected_caller_does_not_stop_the_run(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK)
    stage.avito.switches.latency_seconds = 0.1
    call = asyncio.create_task(stage.rest.post("/api/v1/avito/sync", headers={"X-API-Key": KEY}))

    async def begun() -> bool:
        return bool(await stage.rows("SELECT 1 FROM runs WHERE state = 'running'"))

    await until(begun)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)

    async def ended() -> bool:
        return bool(await stage.rows("SELECT 1 FROM runs WHERE state = 'done'"))

    await until(ended)
    assert (await stage.rows("SELECT count(*) AS n FROM messages"))[0]["n"] == 4
