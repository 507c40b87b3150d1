"""One copy for each recipient: claims, the lease before the final dot, and arrivals that outlive
their run.
"""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import asyncpg
import pytest
from sqlalchemy import make_url, text

from app.database.engine import Database
from app.repositories import deliveries
from app.services.mail.presence import Presence
from app.services.runs import LeaseLostError, RunContext
from tests.services.posting import (
    Process,
    delivery_rows,
    lose_lease,
    pass_claims,
    received_any,
    state_of,
    unwritten_arrivals,
)
from tests.services.test_mailer import BOSS, SECOND, graded_day, received
from tests.stage import Stage, until

LATER = timedelta(minutes=5)

LockOut = Callable[[Database, bool], Awaitable[None]]


@pytest.fixture
async def still(stage: Stage) -> AsyncIterator[Stage]:
    """A graded day whose mail the test sends by hand."""
    await graded_day(stage)
    async with stage.resting():
        yield stage


@pytest.fixture
def process(still: Stage, database: Database) -> Process:
    return Process(still, database)


async def claim(
    database: Database, process: Process, delivery_id: int, token: uuid.UUID
) -> deliveries.ClaimedDelivery | None:
    now = process.clock()
    async with database.transaction() as session:
        return await deliveries.claim_delivery(
            session, delivery_id, token, now=now, retry_at=now + LATER
        )


async def owed(still: Stage, process: Process) -> int:
    """The number of a delivery that is put together and could not be sent."""
    still.sandbox.smtp.switches.refuse_connections = True
    await process.mail()
    still.sandbox.smtp.switches.refuse_connections = False
    (row,) = await still.rows("SELECT id FROM deliveries WHERE recipient = :to", to=BOSS)
    return int(row["id"])


async def test_one_attempt_at_a_time_holds_a_delivery(
    still: Stage, process: Process, database: Database
) -> None:
    number = await owed(still, process)
    first, second = uuid.uuid4(), uuid.uuid4()
    claimed = await claim(database, process, number, first)
    assert claimed is not None
    assert claimed.tries == 2
    assert await claim(database, process, number, second) is None
    await pass_claims(still)
    again = await claim(database, process, number, second)
    assert again is not None
    assert again.tries == 3
    async with database.transaction() as session:
        assert not await deliveries.announce_dot(session, number, first, backend=None), (
            "another attempt has begun"
        )
        assert await deliveries.announce_dot(session, number, second, backend=None)


async def test_an_attempt_that_was_overtaken_writes_nothing(
    still: Stage, process: Process, database: Database
) -> None:
    """A process that was frozen wakes up after the mail has arrived and its bytes are gone."""
    number = await owed(still, process)
    frozen, other = uuid.uuid4(), uuid.uuid4()
    await claim(database, process, number, frozen)
    await pass_claims(still)
    await claim(database, process, number, other)
    async with database.transaction() as session:
        assert await deliveries.mark_sent(session, number, answer="250 Ok", now=process.clock())
    async with database.transaction() as session:
        for token in (frozen, other):
            assert not await deliveries.release_claim(session, number, token)
            assert not await deliveries.announce_dot(session, number, token, backend=None)
            assert not await deliveries.mark_unsent(
                session,
                number,
                token,
                answer="451",
                refused=True,
                final=True,
                next_try_at=process.clock(),
            )
        assert not await deliveries.mark_sent(
            session, number, answer="250 again", now=process.clock()
        )
    row = (await delivery_rows(still))[BOSS]
    assert (row["state"], row["answer"], row["refusals"], row["next_try_at"]) == (
        "sent",
        "250 Ok",
        0,
        None,
    )


async def test_an_arrival_ends_the_attempt_that_was_begun_after_it(
    still: Stage, process: Process, database: Database
) -> None:
    """The database was away for longer than the claim: the second attempt has not sent its dot yet,
    and must not.
    """
    number = await owed(still, process)
    second = uuid.uuid4()
    await claim(database, process, number, uuid.uuid4())
    await pass_claims(still)
    await claim(database, process, number, second)
    async with database.transaction() as session:
        assert await deliveries.mark_sent(session, number, answer="250 Ok", now=process.clock())
        assert not await deliveries.announce_dot(session, number, second, backend=None)


async def test_a_process_that_thaws_before_the_dot_does_not_send_it(
    still: Stage, database: Database
) -> None:
    """It was frozen between 354 and the dot, and its lease is over: the server discards the mail,
    another process sends it.
    """
    process = Process(still, database, recipients=(BOSS,))
    switches = still.sandbox.smtp.switches
    switches.latencies["DATA"] = 0.3
    run = await process.begin()
    step = process.work_on(run)

    async def announced() -> bool:
        return bool(
            await still.rows(
                "SELECT 1 FROM deliveries WHERE claimed_until > now() + interval '10 minutes'"
            )
        )

    await until(announced)
    lose_lease(run)
    with pytest.raises(LeaseLostError):
        await step
    assert still.sandbox.smtp.messages == []
    row = (await delivery_rows(still))[BOSS]
    assert (row["state"], row["tries"], row["answer"]) == (
        "sending",
        1,
        None,
    ), "nothing was written"
    switches.latencies.clear()
    other = Process(still, database, recipients=(BOSS,))
    await pass_claims(still)
    assert (await other.resume(run)).figures["send_reports"] == 2
    assert len(received(still, BOSS)) == 1


async def test_a_dead_holders_claim_is_kept_after_the_dot_and_not_before(
    still: Stage, process: Process, database: Database
) -> None:
    number = await owed(still, process)
    token = uuid.uuid4()
    left = (
        "SELECT extract(epoch FROM claimed_until - now()) AS seconds FROM deliveries WHERE id = :id"
    )
    await claim(database, process, number, token)
    assert 0 < (await still.rows(left, id=number))[0]["seconds"] <= 30
    async with database.transaction() as session:
        await deliveries.announce_dot(session, number, token, backend=None)
    assert 660 < (await still.rows(left, id=number))[0]["seconds"] <= 720
    told = await process.mail()
    assert not told.ok
    assert "ответ почтового сервера ещё не записан" in told.message
    assert received(still, BOSS) == []
    assert len(received(still, SECOND)) == 1
    assert (await still.rows("SELECT mime IS NULL AS gone FROM digests"))[0]["gone"] is False
    await pass_claims(still)
    assert (await process.mail()).ok
    assert len(received(still, BOSS)) == 1


@pytest.mark.parametrize("lives", [True, False])
async def test_a_claim_past_the_dot_is_taken_from_a_process_that_has_died(
    still: Stage, process: Process, database: Database, database_url: str, *, lives: bool
) -> None:
    """Its connection to Postgres is gone. A process that is frozen keeps it, and the wait for the
    mail server's reply.
    """
    number, token, holder = await owed(still, process), uuid.uuid4(), Database(database_url)
    await claim(database, process, number, token)
    async with AsyncExitStack() as alive:
        backend = await alive.enter_async_context(Presence().held(holder))
        async with database.transaction() as session:
            await deliveries.announce_dot(session, number, token, backend=backend)
        if not lives:
            await alive.aclose()

            async def gone() -> bool:
                await holder.close()
                return (
                    await still.rows(
                        "SELECT 1 FROM pg_stat_activity WHERE pid = :pid",
                        pid=int(str(backend).split()[0]),
                    )
                    == []
                )

            await until(gone)
        assert not (await process.mail()).ok, (
            "the process may have lost its connection only, and be about to write an arrival"
        )
        await still.change(
            "UPDATE deliveries SET claimed_until = claimed_until - interval '121 seconds' WHERE"
            " claim_backend IS NOT NULL"
        )
        assert (await process.mail()).ok is not lives
        assert len(received(still, BOSS)) == (0 if lives else 1)
    await holder.close()


async def test_a_lease_lost_after_the_dot_does_not_abort_the_wait_for_the_reply(
    still: Stage, database: Database
) -> None:
    process = Process(still, database, recipients=(BOSS,))
    still.sandbox.smtp.switches.dot_latencies[BOSS] = 0.5
    run = await process.begin()
    step = process.work_on(run)
    await received_any(still)
    lose_lease(run)
    step.cancel()
    with pytest.raises(asyncio.CancelledError):
        await step

    assert (await delivery_rows(still))[BOSS]["state"] == "sending", "the step did not wait"
    await state_of(still, BOSS, "sent")
    assert (await process.resume(run)).figures["send_reports"] == 2, (
        "the run that is carried on counts it"
    )
    assert len(received(still, BOSS)) == 1


async def test_an_arrival_after_the_end_of_its_run_is_not_counted_again(
    still: Stage, database: Database
) -> None:
    """The figures of a run that has ended are told: a repeated call does not count the reports
    either.
    """
    process = Process(still, database, recipients=(BOSS,))
    still.sandbox.smtp.switches.dot_latencies[BOSS] = 0.5
    run = await process.begin()
    step = process.work_on(run)
    await received_any(still)
    step.cancel()
    await still.change("UPDATE runs SET state = 'failed' WHERE id = :id", id=run.id)
    await state_of(still, BOSS, "sent")
    assert (await still.rows("SELECT first_sent_run_id FROM digests"))[0][
        "first_sent_run_id"
    ] is None
    with contextlib.suppress(asyncio.CancelledError):
        await step


async def test_a_service_that_stops_waits_for_the_reply_to_the_dot(
    still: Stage, database: Database
) -> None:
    process = Process(still, database, recipients=(BOSS,))
    still.sandbox.smtp.switches.dot_latencies[BOSS] = 0.5
    run = await process.begin()
    step = process.work_on(run)
    await received_any(still)
    run.stopping.set()
    step.cancel()
    await asyncio.sleep(0.05)
    step.cancel()  # the worker repeats itself
    with pytest.raises(asyncio.CancelledError):
        await step
    assert (await delivery_rows(still))[BOSS]["state"] == "sent"
    assert run.progress.figures["send_reports"] == 2


async def test_a_service_that_stops_gives_up_on_a_reply_that_does_not_come(
    still: Stage, database: Database
) -> None:
    process = Process(still, database, recipients=(BOSS,), finish_seconds=0.2)
    still.sandbox.smtp.switches.dot_latencies[BOSS] = 600
    run = await process.begin()
    step = process.work_on(run)
    await received_any(still)
    run.stopping.set()
    step.cancel()
    with pytest.raises(asyncio.CancelledError):
        await step
    async with process.arrivals:
        pass  # the end of the process
    row = (await delivery_rows(still))[BOSS]
    assert (row["state"], row["claimed"]) == (
        "sending",
        True,
    ), "nobody knows, and nobody else sends for now"


async def test_a_service_that_stops_before_the_dot_leaves_the_delivery_to_the_next_process(
    still: Stage, database: Database
) -> None:
    process = Process(still, database, recipients=(BOSS,))
    switches = still.sandbox.smtp.switches
    for step_name in ("RCPT", "DATA"):  # before and after the claim was prolonged for the dot
        switches.latencies[step_name] = 60
        run = await process.begin()
        step = process.work_on(run)
        tries = len(switches.latencies)

        async def begun(tries: int = tries) -> bool:
            rows = await delivery_rows(still)
            return bool(rows) and rows[BOSS]["tries"] == tries and rows[BOSS]["state"] == "sending"

        await until(begun)
        await asyncio.sleep(0.3)
        run.stopping.set()
        step.cancel()
        with pytest.raises(asyncio.CancelledError):
            await step
        row = (await delivery_rows(still))[BOSS]
        assert (row["state"], row["claimed"]) == ("queued", None)
        switches.latencies[step_name] = 0
    assert (await process.resume(run)).ok
    assert len(received(still, BOSS)) == 1


async def test_a_slow_content_filter_costs_no_second_copy(still: Stage, database: Database) -> None:
    """Its reply takes five times as long as any other may."""
    process = Process(still, database, smtp={"timeout_seconds": 0.3, "reply_seconds": 30})
    still.sandbox.smtp.switches.dot_latencies[BOSS] = 1.5
    assert (await process.mail()).figures["send_reports"] == 2
    assert (await process.mail()).message.startswith("Новых отчётов нет")
    assert (len(received(still, BOSS)), len(received(still, SECOND))) == (1, 1)


async def test_a_recipient_whose_server_is_slow_does_not_hold_up_the_others(
    still: Stage, database: Database
) -> None:
    process = Process(still, database)
    still.sandbox.smtp.switches.dot_latencies[BOSS] = 600
    step = process.work_on(await process.begin())
    await state_of(still, SECOND, "sent")
    step.cancel()
    with pytest.raises(asyncio.CancelledError):
        await step
    async with process.arrivals:
        pass


async def test_a_mail_without_its_bytes_fails_for_good_and_by_name(
    still: Stage, process: Process
) -> None:
    await owed(still, process)
    await still.change("UPDATE digests SET mime = NULL")
    told = await process.mail()
    assert not told.ok
    assert "Отправлено" not in told.message
    assert "не сохранился" in told.message
    assert {row["state"] for row in (await delivery_rows(still)).values()} == {"failed"}
    assert (await process.mail()).message.startswith("Новых отчётов нет")


async def test_a_policy_is_no_refusal_of_the_recipient(still: Stage, process: Process) -> None:
    """Kept and retried however often it is called, until the server takes it."""
    still.sandbox.smtp.switches.recipient_answers[BOSS] = (
        "554 5.7.1 <boss@example.ru>: Relay access denied"
    )
    for tries in range(1, 6):
        told = await process.mail()
        assert "relay" in told.message
        assert "Письмо сохранено, повторим сами." in told.message
        row = (await delivery_rows(still))[BOSS]
        assert (row["state"], row["tries"], row["refusals"]) == ("queued", tries, 0)
        assert row["next_try_at"] is not None
    still.sandbox.smtp.switches.recipient_answers.clear()
    assert (await process.mail()).ok
    assert len(received(still, BOSS)) == 1


async def test_however_often_it_was_tried_the_next_pause_is_known(
    still: Stage, process: Process
) -> None:
    """Calls come every minute for three days: the pause does not outgrow what a date can hold."""
    number = await owed(still, process)
    await still.change("UPDATE deliveries SET tries = 4000")
    still.sandbox.smtp.switches.refuse_connections = True
    assert "недоступен" in (await process.mail()).message
    (row,) = await still.rows("SELECT next_try_at FROM deliveries WHERE id = :id", id=number)
    assert row["next_try_at"] <= process.clock() + timedelta(hours=6)


async def test_an_address_taken_out_of_the_settings_keeps_an_attempt_under_way(
    still: Stage, database: Database
) -> None:
    process = Process(still, database)
    still.sandbox.smtp.switches.dot_latencies[SECOND] = 1
    step = process.work_on(await process.begin())
    await received_any(still, 2)
    await Process(still, database, recipients=(BOSS,)).mail()
    assert (await delivery_rows(still))[SECOND]["state"] == "sending"
    assert (await step).ok
    assert (await delivery_rows(still))[SECOND]["state"] == "sent"


@pytest.fixture
def lock_out(cluster_url: str) -> LockOut:
    """Takes a process's database away, connections and all, and brings it back."""

    async def set_away(database: Database, away: bool) -> None:
        url = make_url(cluster_url)
        connection = await asyncpg.connect(
            user=url.username,
            password=url.password,
            database=url.database,
            host=str(url.query["host"]),
        )
        try:
            name = database.engine.url.database
            await connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {not away}")
            if away:
                await connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
                    name,
                )
        finally:
            await connection.close()

    return set_away


@asynccontextmanager
async def acknowledged(
    still: Stage, database: Database, database_url: str, lock_out: LockOut
) -> AsyncIterator[tuple[Process, RunContext]]:
    """A process that has lost its run, and its database between the acknowledgement and the write;
    the database is back afterwards.
    """
    process = Process(still, Database(database_url), recipients=(BOSS,))
    still.sandbox.smtp.switches.dot_latencies[BOSS] = 0.5
    run = await process.begin()
    step = process.work_on(run)
    await received_any(still)
    await lock_out(database, True)
    await unwritten_arrivals(process, 1)
    lose_lease(run)
    step.cancel()
    with pytest.raises(asyncio.CancelledError):
        await step
    yield process, run
    await process.database.close()


async def test_an_acknowledged_arrival_is_kept_until_the_database_is_back(
    still: Stage, database: Database, database_url: str, lock_out: LockOut
) -> None:
    """It outlives its run and keeps the process alive."""
    async with acknowledged(still, database, database_url, lock_out) as (process, run):
        await asyncio.sleep(1)
        assert process.arrivals.unwritten == 1
        await lock_out(database, False)
        await unwritten_arrivals(process, 0)
        assert (await delivery_rows(still))[BOSS]["state"] == "sent"
        assert (await process.resume(run)).figures["send_reports"] == 2
        assert len(received(still, BOSS)) == 1


async def test_an_unwritten_arrival_is_not_sent_again_by_its_process(
    still: Stage, process: Process
) -> None:
    """Not even if its claim is over: the database came back for reading first."""
    number = await owed(still, process)
    waiting = asyncio.create_task(process.arrivals.write(number, _never))
    await unwritten_arrivals(process, 1)
    told = await process.mail()
    assert "ответ почтового сервера ещё не записан" in told.message
    assert received(still, BOSS) == []
    waiting.cancel()


async def test_a_process_killed_with_an_unwritten_arrival_leaves_its_claim(
    still: Stage, database: Database, database_url: str, lock_out: LockOut
) -> None:
    """Only when nobody can be waiting for the reply any more the identical bytes go again: SMTP
    knows no better.
    """
    async with acknowledged(still, database, database_url, lock_out) as (process, run):
        async with process.arrivals:
            pass  # the end of the process
        await lock_out(database, False)
        still.sandbox.smtp.switches.dot_latencies.clear()
        next_process = Process(still, database, recipients=(BOSS,))
        assert not (await next_process.resume(run)).ok
        assert len(received(still, BOSS)) == 1
        await pass_claims(still)
        assert (await next_process.resume(run)).figures["send_reports"] == 2
        first, again = received(still, BOSS)
        assert first.data == again.data


async def test_a_lock_on_the_mails_does_not_hold_an_arrival_back(
    still: Stage, database: Database, database_url: str
) -> None:
    """A process killed while the lock is held has lost nothing: its mail is not sent again, and the
    run that resumes counts it.
    """
    process = Process(still, Database(database_url), recipients=(BOSS,))
    still.sandbox.smtp.switches.dot_latencies[BOSS] = 0.5
    run = await process.begin()
    step = process.work_on(run)
    await received_any(still)
    async with database.session() as session:
        await session.execute(text("LOCK TABLE digests IN EXCLUSIVE MODE"))
        await state_of(still, BOSS, "sent")
        step.cancel()
        with pytest.raises(asyncio.CancelledError):
            await step
        async with process.arrivals:
            pass  # the end of the process
    await process.database.close()
    assert (await Process(still, database, recipients=(BOSS,)).resume(run)).figures[
        "send_reports"
    ] == 2
    assert len(received(still, BOSS)) == 1


async def _never() -> None:
    await asyncio.Event().wait()
