"""The scheduler's retries of mails: asked for by delivery, so that no replica's clock, death or
delay loses one.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from app.database.engine import Database
from app.models import RunKind
from app.repositories import runs
from app.services.mail.composer import FIRST_RETRY
from tests.support.daily_mails import BOSS, SECOND, grade_day, list_mails
from tests.support.mail_runs import Process, delivery_rows, pass_claims
from tests.support.scheduler import ask_for_what_is_due
from tests.support.stage import Stage


@pytest.fixture
async def still(stage: Stage, database: Database) -> AsyncIterator[Stage]:
    """A mail that could be sent to nobody yet; runs are carried out by hand."""
    await grade_day(stage)
    async with stage.resting():
        stage.sandbox.smtp.switches.refuse_connections = True
        await Process(stage, database).mail()
        stage.sandbox.smtp.switches.refuse_connections = False
        yield stage


async def tick(stage: Stage) -> None:
    await ask_for_what_is_due(stage.service.database, stage.service.timetable, stage.clock)


async def retries(stage: Stage) -> list[dict[str, Any]]:
    return await stage.rows(
        "SELECT id, slot, params FROM runs WHERE kind = 'mail' AND slot LIKE 'retry %' ORDER BY id"
    )


async def carry_out(process: Process, run: dict[str, Any]) -> None:
    asked = await process.begin(slot=run["slot"], date=None, deliveries=run["params"]["deliveries"])
    assert (await process.work_on(asked)).ok


async def test_a_retry_is_asked_for_once_and_by_delivery(still: Stage) -> None:
    await tick(still)
    assert await retries(still) == [], "none is due"
    still.clock.move(minutes=6)
    await tick(still)
    await tick(still)
    (run,) = await retries(still)
    numbers = [row["id"] for row in await still.rows("SELECT id FROM deliveries ORDER BY id")]
    assert run["params"]["deliveries"] == numbers


async def test_a_replica_with_a_slower_clock_carries_out_what_another_asked_for(
    still: Stage, database: Database
) -> None:
    slow = Process(still, database)
    still.clock.move(minutes=6)
    await tick(still)
    (run,) = await retries(still)
    assert slow.clock() < still.clock() - timedelta(minutes=5)
    await carry_out(slow, run)
    assert (len(list_mails(still, BOSS)), len(list_mails(still, SECOND))) == (1, 1)


async def test_a_retry_that_came_to_nothing_is_asked_for_again(still: Stage) -> None:
    """Its run ended without an attempt, whatever the reason: the next one has a slot of its own."""
    for ended in range(1, 4):
        still.clock.move(seconds=FIRST_RETRY.total_seconds() + 60)
        await tick(still)
        assert len(await retries(still)) == ended
        await still.change("UPDATE runs SET state = 'failed' WHERE slot LIKE 'retry %'")


async def test_what_an_attempt_holds_is_due_when_its_claim_is_over(still: Stage) -> None:
    await still.change(
        "UPDATE deliveries SET state = 'sending', claimed_until = now() + interval '12 minutes'"
        " WHERE recipient = :to",
        to=BOSS,
    )
    still.clock.move(minutes=6)
    await tick(still)
    still.clock.move(minutes=6)
    await tick(still)
    boss, second = [
        row["id"] for row in await still.rows("SELECT id FROM deliveries ORDER BY recipient")
    ]
    assert [run["params"]["deliveries"] for run in await retries(still)] == [[second], [second]]
    await pass_claims(still)
    await tick(still)
    assert (await retries(still))[-1]["params"]["deliveries"] == [boss]


async def test_a_retry_sends_only_what_is_still_open(still: Stage, database: Database) -> None:
    process = Process(still, database)
    still.clock.move(minutes=6)
    await tick(still)
    assert (await process.mail()).ok  # a person's call was faster
    (run,) = await retries(still)
    await carry_out(process, run)
    assert (len(list_mails(still, BOSS)), len(list_mails(still, SECOND))) == (1, 1)


async def test_a_retry_leaves_other_mails_to_their_own_time(
    still: Stage, database: Database
) -> None:
    still.clock.move(minutes=6)
    await still.change(
        "UPDATE deliveries SET next_try_at = next_try_at + interval '1 hour' WHERE recipient = :to",
        to=SECOND,
    )
    await tick(still)
    (run,) = await retries(still)
    await carry_out(Process(still, database), run)
    assert (len(list_mails(still, BOSS)), len(list_mails(still, SECOND))) == (1, 0)


async def test_a_refused_recipient_waits_for_a_call(still: Stage, database: Database) -> None:
    still.sandbox.smtp.switches.recipient_answers[SECOND] = "550 5.1.1 No such user"
    await Process(still, database).mail()
    still.clock.move(hours=30)
    await tick(still)
    assert await retries(still) == []
    assert (await delivery_rows(still))[SECOND]["refusals"] == 1


async def test_a_moment_that_a_wrong_clock_has_written_is_due_now(still: Stage) -> None:
    """A process tried to send while its clock was 40 days ahead."""
    await still.change("UPDATE deliveries SET next_try_at = next_try_at + interval '40 days'")
    await tick(still)
    assert len(await retries(still)) == 1


async def test_a_retry_that_the_release_before_has_asked_for_is_carried_out(
    still: Stage, database: Database
) -> None:
    """It names no deliveries."""
    process = Process(still, database)
    process.clock.move(minutes=6)
    async with database.transaction() as session:
        assert await runs.add_run(
            session, RunKind.MAIL, now=process.clock(), slot="retry 2026-11-22T17:05:00+00:00"
        )
    asked = await process.begin(slot="retry 2026-11-22T17:05:00+00:00", date=None)
    assert (await process.work_on(asked)).ok
    assert (len(list_mails(still, BOSS)), len(list_mails(still, SECOND))) == (1, 1)
