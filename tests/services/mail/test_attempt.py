"""One copy per recipient: the lease check before the final dot, late arrivals, failures."""

import asyncio
import contextlib
from datetime import timedelta

import pytest

from app.database.engine import Database
from app.services.runs import LeaseLostError
from tests.support.daily_mails import BOSS, SECOND, list_mails
from tests.support.mail_runs import (
    Process,
    begin_slow_delivery,
    create_unsent_delivery,
    expire_claims,
    fetch_deliveries,
    lose_lease,
    wait_for_delivery_state,
    wait_for_mails,
)
from tests.support.stage import Stage, until


async def test_process_that_was_frozen_before_the_dot_does_not_send_it(
    idle_stage: Stage, database: Database
) -> None:
    """It was frozen between 354 and the dot, and its lease has expired.

    The server discards the mail, and another process sends it.
    """
    process = Process(idle_stage, database, recipients=(BOSS,))
    switches = idle_stage.sandbox.smtp.switches
    switches.latencies["DATA"] = 0.3
    run = await process.begin()
    step = process.work_on(run)

    async def is_announced() -> bool:
        return bool(
            await idle_stage.rows(
                "SELECT 1 FROM deliveries WHERE claimed_until > now() + interval '10 minutes'"
            )
        )

    await until(is_announced)
    lose_lease(run)
    with pytest.raises(LeaseLostError):
        await step
    assert idle_stage.sandbox.smtp.messages == []
    row = (await fetch_deliveries(idle_stage))[BOSS]
    assert (row["state"], row["tries"], row["answer"]) == (
        "sending",
        1,
        None,
    ), "nothing was written"
    switches.latencies.clear()
    other = Process(idle_stage, database, recipients=(BOSS,))
    await expire_claims(idle_stage)
    assert (await other.resume(run)).figures["send_reports"] == 2
    assert len(list_mails(idle_stage, BOSS)) == 1


async def test_lease_lost_after_the_dot_does_not_abort_the_wait_for_the_reply(
    idle_stage: Stage, database: Database
) -> None:
    process, run, step = await begin_slow_delivery(idle_stage, database, BOSS)
    lose_lease(run)
    step.cancel()
    with pytest.raises(asyncio.CancelledError):
        await step

    assert (await fetch_deliveries(idle_stage))[BOSS]["state"] == "sending", "the step did not wait"
    await wait_for_delivery_state(idle_stage, BOSS, "sent")
    assert (await process.resume(run)).figures["send_reports"] == 2, "the resumed run counts it"
    assert len(list_mails(idle_stage, BOSS)) == 1


async def test_arrival_after_the_end_of_its_run_is_not_counted(
    idle_stage: Stage, database: Database
) -> None:
    """The figures of a finished run are final. A repeated call does not count them either."""
    _, run, step = await begin_slow_delivery(idle_stage, database, BOSS)
    step.cancel()
    await idle_stage.change("UPDATE runs SET state = 'failed' WHERE id = :id", id=run.id)
    await wait_for_delivery_state(idle_stage, BOSS, "sent")
    assert (await idle_stage.rows("SELECT first_sent_run_id FROM digests"))[0][
        "first_sent_run_id"
    ] is None
    with contextlib.suppress(asyncio.CancelledError):
        await step


async def test_stopping_service_waits_for_the_reply_to_the_dot(
    idle_stage: Stage, database: Database
) -> None:
    _, run, step = await begin_slow_delivery(idle_stage, database, BOSS)
    run.stopping.set()
    step.cancel()
    await asyncio.sleep(0.05)
    step.cancel()  # the worker repeats the cancellation
    with pytest.raises(asyncio.CancelledError):
        await step
    assert (await fetch_deliveries(idle_stage))[BOSS]["state"] == "sent"
    assert run.progress.figures["send_reports"] == 2


async def test_stopping_service_does_not_wait_forever_for_the_reply(
    idle_stage: Stage, database: Database
) -> None:
    process = Process(idle_stage, database, recipients=(BOSS,), finish_seconds=0.2)
    idle_stage.sandbox.smtp.switches.dot_latencies[BOSS] = 600
    run = await process.begin()
    step = process.work_on(run)
    await wait_for_mails(idle_stage)
    run.stopping.set()
    step.cancel()
    with pytest.raises(asyncio.CancelledError):
        await step
    async with process.arrivals:
        pass  # the end of the process
    row = (await fetch_deliveries(idle_stage))[BOSS]
    assert (row["state"], row["claimed"]) == (
        "sending",
        True,
    ), "the result is unknown, and no other process sends for now"


async def test_service_stopped_before_the_dot_releases_the_delivery(
    idle_stage: Stage, database: Database
) -> None:
    process = Process(idle_stage, database, recipients=(BOSS,))
    switches = idle_stage.sandbox.smtp.switches
    for step_name in ("RCPT", "DATA"):  # before and after the claim was prolonged for the dot
        switches.latencies[step_name] = 60
        run = await process.begin()
        step = process.work_on(run)
        tries = len(switches.latencies)

        async def has_started(tries: int = tries) -> bool:
            rows = await fetch_deliveries(idle_stage)
            return bool(rows) and rows[BOSS]["tries"] == tries and rows[BOSS]["state"] == "sending"

        await until(has_started)
        await asyncio.sleep(0.3)
        run.stopping.set()
        step.cancel()
        with pytest.raises(asyncio.CancelledError):
            await step
        row = (await fetch_deliveries(idle_stage))[BOSS]
        assert (row["state"], row["claimed"]) == ("queued", None)
        switches.latencies[step_name] = 0
    assert (await process.resume(run)).ok
    assert len(list_mails(idle_stage, BOSS)) == 1


async def test_slow_content_filter_causes_no_second_copy(
    idle_stage: Stage, database: Database
) -> None:
    """Its reply takes five times the timeout of other replies."""
    process = Process(idle_stage, database, smtp={"timeout_seconds": 0.3, "reply_seconds": 30})
    idle_stage.sandbox.smtp.switches.dot_latencies[BOSS] = 1.5
    assert (await process.mail()).figures["send_reports"] == 2
    assert (await process.mail()).message.startswith("Новых отчётов нет")
    assert (len(list_mails(idle_stage, BOSS)), len(list_mails(idle_stage, SECOND))) == (1, 1)


async def test_slow_recipient_does_not_delay_the_others(
    idle_stage: Stage, database: Database
) -> None:
    process = Process(idle_stage, database)
    idle_stage.sandbox.smtp.switches.dot_latencies[BOSS] = 600
    step = process.work_on(await process.begin())
    await wait_for_delivery_state(idle_stage, SECOND, "sent")
    step.cancel()
    with pytest.raises(asyncio.CancelledError):
        await step
    async with process.arrivals:
        pass


async def test_mail_without_bytes_fails_for_good_with_its_reason(
    idle_stage: Stage, process: Process
) -> None:
    await create_unsent_delivery(idle_stage, process, BOSS)
    await idle_stage.change("UPDATE digests SET mime = NULL")
    result = await process.mail()
    assert not result.ok
    assert "Отправлено" not in result.message
    assert "не сохранился" in result.message
    assert {row["state"] for row in (await fetch_deliveries(idle_stage)).values()} == {"failed"}
    assert (await process.mail()).message.startswith("Новых отчётов нет")


async def test_policy_rejection_is_not_a_rejection_of_the_recipient(
    idle_stage: Stage, process: Process
) -> None:
    """The mail is kept and retried until the server accepts it."""
    idle_stage.sandbox.smtp.switches.recipient_answers[BOSS] = (
        "554 5.7.1 <boss@example.ru>: Relay access denied"
    )
    for tries in range(1, 6):
        result = await process.mail()
        assert "relay" in result.message
        assert "Письмо сохранено, повторим сами." in result.message
        row = (await fetch_deliveries(idle_stage))[BOSS]
        assert (row["state"], row["tries"], row["refusals"]) == ("queued", tries, 0)
        assert row["next_try_at"] is not None
    idle_stage.sandbox.smtp.switches.recipient_answers.clear()
    assert (await process.mail()).ok
    assert len(list_mails(idle_stage, BOSS)) == 1


async def test_pause_is_bounded_after_many_tries(idle_stage: Stage, process: Process) -> None:
    """With a call every minute for three days the pause stays within the range of a timedelta."""
    number = await create_unsent_delivery(idle_stage, process, BOSS)
    await idle_stage.change("UPDATE deliveries SET tries = 4000")
    idle_stage.sandbox.smtp.switches.refuse_connections = True
    assert "недоступен" in (await process.mail()).message
    (row,) = await idle_stage.rows("SELECT next_try_at FROM deliveries WHERE id = :id", id=number)
    assert row["next_try_at"] <= process.clock() + timedelta(hours=6)


async def test_address_removed_from_the_settings_keeps_its_running_attempt(
    idle_stage: Stage, database: Database
) -> None:
    process = Process(idle_stage, database)
    idle_stage.sandbox.smtp.switches.dot_latencies[SECOND] = 1
    step = process.work_on(await process.begin())
    await wait_for_mails(idle_stage, 2)
    await Process(idle_stage, database, recipients=(BOSS,)).mail()
    assert (await fetch_deliveries(idle_stage))[SECOND]["state"] == "sending"
    assert (await step).ok
    assert (await fetch_deliveries(idle_stage))[SECOND]["state"] == "sent"
