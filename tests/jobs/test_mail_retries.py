"""The scheduler's retries of mails.

Their runs name the deliveries, so that no clock error, crash or delay of a replica loses one.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from app.database.engine import Database
from app.domain.delivery_retry import FIRST_RETRY
from tests.support.daily_mails import BOSS, SECOND, grade_day, list_mails
from tests.support.mail_runs import Process, expire_claims, fetch_deliveries
from tests.support.scheduler import queue_due_runs
from tests.support.stage import Stage


@pytest.fixture
async def undelivered_stage(stage: Stage, database: Database) -> AsyncIterator[Stage]:
    """Yield a stage with a mail that reached no recipient; tests execute its runs themselves."""
    await grade_day(stage)
    async with stage.resting():
        stage.sandbox.smtp.switches.refuse_connections = True
        await Process(stage, database).mail()
        stage.sandbox.smtp.switches.refuse_connections = False
        yield stage


async def tick(stage: Stage) -> None:
    await queue_due_runs(stage.service.database, stage.service.timetable, stage.clock)


async def retries(stage: Stage) -> list[dict[str, Any]]:
    return await stage.rows(
        "SELECT id, slot, params FROM runs WHERE kind = 'mail' AND slot LIKE 'retry %' ORDER BY id"
    )


async def carry_out(process: Process, run: dict[str, Any]) -> None:
    asked = await process.begin(slot=run["slot"], date=None, deliveries=run["params"]["deliveries"])
    assert (await process.work_on(asked)).ok


async def test_retry_is_queued_once_and_names_its_deliveries(undelivered_stage: Stage) -> None:
    await tick(undelivered_stage)
    assert await retries(undelivered_stage) == [], "none is due"
    undelivered_stage.clock.move(minutes=6)
    await tick(undelivered_stage)
    await tick(undelivered_stage)
    (run,) = await retries(undelivered_stage)
    numbers = [
        row["id"] for row in await undelivered_stage.rows("SELECT id FROM deliveries ORDER BY id")
    ]
    assert run["params"]["deliveries"] == numbers


async def test_replica_with_a_slower_clock_executes_the_retry_of_another(
    undelivered_stage: Stage, database: Database
) -> None:
    slow = Process(undelivered_stage, database)
    undelivered_stage.clock.move(minutes=6)
    await tick(undelivered_stage)
    (run,) = await retries(undelivered_stage)
    assert slow.clock() < undelivered_stage.clock() - timedelta(minutes=5)
    await carry_out(slow, run)
    assert (
        len(list_mails(undelivered_stage, BOSS)),
        len(list_mails(undelivered_stage, SECOND)),
    ) == (1, 1)


async def test_retry_without_an_attempt_is_queued_again(undelivered_stage: Stage) -> None:
    """The next run has its own slot."""
    for ended in range(1, 4):
        undelivered_stage.clock.move(seconds=FIRST_RETRY.total_seconds() + 60)
        await tick(undelivered_stage)
        assert len(await retries(undelivered_stage)) == ended
        await undelivered_stage.change("UPDATE runs SET state = 'failed' WHERE slot LIKE 'retry %'")


async def test_retry_waits_for_the_claim_of_an_attempt(undelivered_stage: Stage) -> None:
    await undelivered_stage.change(
        "UPDATE deliveries SET state = 'sending', claimed_until = now() + interval '12 minutes'"
        " WHERE recipient = :to",
        to=BOSS,
    )
    undelivered_stage.clock.move(minutes=6)
    await tick(undelivered_stage)
    undelivered_stage.clock.move(minutes=6)
    await tick(undelivered_stage)
    boss, second = [
        row["id"]
        for row in await undelivered_stage.rows("SELECT id FROM deliveries ORDER BY recipient")
    ]
    assert [run["params"]["deliveries"] for run in await retries(undelivered_stage)] == [
        [second],
        [second],
    ]
    await expire_claims(undelivered_stage)
    await tick(undelivered_stage)
    assert (await retries(undelivered_stage))[-1]["params"]["deliveries"] == [boss]


async def test_retry_sends_only_open_deliveries(
    undelivered_stage: Stage, database: Database
) -> None:
    process = Process(undelivered_stage, database)
    undelivered_stage.clock.move(minutes=6)
    await tick(undelivered_stage)
    assert (await process.mail()).ok  # a request was faster
    (run,) = await retries(undelivered_stage)
    await carry_out(process, run)
    assert (
        len(list_mails(undelivered_stage, BOSS)),
        len(list_mails(undelivered_stage, SECOND)),
    ) == (1, 1)


async def test_retry_does_not_send_other_mails_early(
    undelivered_stage: Stage, database: Database
) -> None:
    undelivered_stage.clock.move(minutes=6)
    await undelivered_stage.change(
        "UPDATE deliveries SET next_try_at = next_try_at + interval '1 hour' WHERE recipient = :to",
        to=SECOND,
    )
    await tick(undelivered_stage)
    (run,) = await retries(undelivered_stage)
    await carry_out(Process(undelivered_stage, database), run)
    assert (
        len(list_mails(undelivered_stage, BOSS)),
        len(list_mails(undelivered_stage, SECOND)),
    ) == (1, 0)


async def test_refused_recipient_is_retried_only_on_request(
    undelivered_stage: Stage, database: Database
) -> None:
    undelivered_stage.sandbox.smtp.switches.recipient_answers[SECOND] = "550 5.1.1 No such user"
    await Process(undelivered_stage, database).mail()
    undelivered_stage.clock.move(hours=30)
    await tick(undelivered_stage)
    assert await retries(undelivered_stage) == []
    assert (await fetch_deliveries(undelivered_stage))[SECOND]["refusals"] == 1


async def test_retry_planned_by_a_clock_ahead_is_due_now(undelivered_stage: Stage) -> None:
    """A process tried to send while its clock was 40 days ahead."""
    await undelivered_stage.change(
        "UPDATE deliveries SET next_try_at = next_try_at + interval '40 days'"
    )
    await tick(undelivered_stage)
    assert len(await retries(undelivered_stage)) == 1
