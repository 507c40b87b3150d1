"""A call that resends a date's mails while the same call is in progress or was interrupted.

No recipient receives one too many.
"""

from app.repositories.repeated_runs import CONTINUED_FOR
from tests.support.daily_mails import BOSS, SECOND, grade_day, list_mails
from tests.support.repeated_calls import call_both, start_call
from tests.support.stage import Stage, on_stage, until


async def test_mail_resent_by_two_concurrent_calls_is_sent_once(
    stage: Stage, replica: Stage
) -> None:
    await grade_day(stage)
    await stage.mail()
    first, second = await call_both(stage, replica, "/timer/reports", {"resend": True})
    assert (first["send_reports"], second["send_reports"]) == (2, 0)
    assert "Такой же запрос уже выполнялся" in second["message"]
    assert "писем не было" not in second["message"]
    assert [len(list_mails(stage, to)) for to in (BOSS, SECOND)] == [2, 2]
    assert (await stage.mail(resend=True))["send_reports"] == 2, (
        "made after both have ended, it is carried out"
    )
    assert len(list_mails(stage, BOSS)) == 3


async def test_interrupted_resend_is_finished_by_the_next_call(stage: Stage) -> None:
    """The service is stopped during the transfer; the response tells the caller to repeat."""
    await grade_day(stage)
    await stage.mail()
    stage.sandbox.smtp.switches.latency_seconds = 60
    first = await start_call(stage, "/timer/reports", {"resend": True})

    async def on_the_wire() -> bool:
        return bool(await stage.rows("SELECT 1 FROM deliveries WHERE state = 'sending'"))

    await until(on_the_wire)
    async with stage.resting():
        stage.sandbox.smtp.switches.latency_seconds = 0
    assert "вызовите ещё раз" in (await first)["message"]
    answer = await stage.mail(resend=True)
    assert answer["send_reports"] == 2
    assert [len(list_mails(stage, to)) for to in (BOSS, SECOND)] == [2, 2]
    assert len(await stage.rows("SELECT 1 FROM digests WHERE kind = 'resend'")) == 1
    (run,) = await stage.rows("SELECT id FROM runs WHERE state = 'done' ORDER BY id DESC LIMIT 1")
    shown = (await stage.rest.get(f"/api/v1/runs/{run['id']}")).json()
    assert {row["state"] for row in shown["deliveries"]} == {"sent"}
    assert (await stage.mail(resend=True))["send_reports"] == 2, "and that one has ended"
    assert len(list_mails(stage, BOSS)) == 3


async def resend_to_first_recipient(stage: Stage, state: str) -> None:
    """Interrupt a resend that has reached the first recipient and not the second."""
    await grade_day(stage)
    await stage.mail()
    stage.sandbox.smtp.switches.recipient_answers[SECOND] = "451 4.7.1 Try again later"
    await stage.post("/timer/reports", {"resend": True}, status=500)
    stage.sandbox.smtp.switches.recipient_answers.clear()
    lease = "now() - interval '1 minute'" if state == "running" else "NULL"
    last = "SELECT max(id) FROM runs"
    changed = f"UPDATE runs SET state = :state, lease_until = {lease}"  # noqa: S608 - our own
    await stage.change(f"{changed} WHERE id = ({last})", state=state)


async def test_first_recipient_of_an_interrupted_resend_gets_one_copy(
    stage: Stage,
) -> None:
    for number, state in enumerate(
        ("interrupted", "running"), 1
    ):  # stopped, or killed with an expired lease
        await resend_to_first_recipient(stage, state)
        assert (await stage.mail(resend=True))["send_reports"] == 2 * number, (
            "its caller was told of none"
        )
        assert [len(list_mails(stage, to)) for to in (BOSS, SECOND)] == [2 * number, 2 * number]


async def test_resend_finished_by_the_scheduler_is_not_repeated(stage: Stage) -> None:
    await resend_to_first_recipient(stage, "interrupted")
    await stage.mail()  # as a retry of the scheduler does
    answer = await stage.mail(resend=True)
    assert (answer["send_reports"], len(list_mails(stage, BOSS))) == (0, 2)
    assert "ещё раз не отправлялось" in answer["message"]
    assert (await stage.mail(resend=True))["send_reports"] == 2, (
        "the call that was interrupted has had its answer"
    )


async def test_old_interrupted_resend_is_not_continued(stage: Stage) -> None:
    await resend_to_first_recipient(stage, "interrupted")
    await stage.mail()
    stage.clock.move(seconds=CONTINUED_FOR.total_seconds() + 60)
    day = (await stage.rows("SELECT day FROM digests"))[0]["day"].isoformat()
    assert (await stage.mail(date=day, resend=True))["send_reports"] == 2
    assert len(list_mails(stage, BOSS)) == 3


async def test_resend_to_other_recipients_is_a_new_mail(stage: Stage, database_url: str) -> None:
    """The service was restarted with one more address."""
    await resend_to_first_recipient(stage, "interrupted")
    third = "third@example.ru"
    async with (
        stage.resting(),
        on_stage(database_url, stage.sandbox, report_recipients=(BOSS, SECOND, third)) as more,
    ):
        assert (await more.mail(resend=True))["send_reports"] == 2
    assert len(list_mails(stage, third)) == 1
