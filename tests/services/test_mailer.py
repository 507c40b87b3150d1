"""Who gets which mail, what it says, and that nothing goes twice."""

from datetime import date, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

from app.sandbox.smtp import ReceivedMail
from app.services.mail.attempt import REFUSALS
from tests.jobs.ticks import ask_for_what_is_due
from tests.services.sheets import rows_of
from tests.stage import BAD_TALK, GOOD_TALK, Stage, on_stage, until

BOSS, SECOND = "boss@example.ru", "second@example.ru"


def read(mail: ReceivedMail) -> EmailMessage:
    message = message_from_bytes(mail.data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def words(mail: ReceivedMail) -> str:
    body = read(mail).get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def received(stage: Stage, recipient: str) -> list[ReceivedMail]:
    return [mail for mail in stage.sandbox.smtp.messages if mail.recipients == [recipient]]


async def graded_day(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK)
    stage.add_talk(*BAD_TALK, title="Шкаф", client="Борис")
    stage.add_talk(("client", "Алло?"), title="Стол")
    await stage.sync()
    await stage.analyze()


async def test_each_recipient_gets_one_mail_with_the_same_figures(stage: Stage) -> None:
    await graded_day(stage)
    assert (await stage.mail())["send_reports"] == 2
    (boss,), (second,) = received(stage, BOSS), received(stage, SECOND)
    assert words(boss) == words(second)
    assert read(boss)["Message-ID"] != read(second)["Message-ID"]
    assert (read(boss)["To"], read(boss)["From"].addresses[0].addr_spec) == (
        BOSS,
        "reports@example.ru",
    )
    assert read(boss)["Auto-Submitted"] == "auto-generated"
    assert "Шкаф" in words(boss)
    assert "3 = " in words(boss).replace("\u00a0", " "), "N is the sum of the four"


async def test_the_mails_figures_are_those_of_its_reports(full_stage: Stage) -> None:
    """N, the four that add up to it, and the mean score, against what REST gives for that mail."""
    stage = full_stage
    await stage.sync()
    await stage.analyze()
    day = (await stage.mail())["date"]
    carried = await stage.reports(mail=day)
    (digest,) = await stage.rows("SELECT figures, reports_count FROM digests")
    figures = digest["figures"]
    assert digest["reports_count"] == figures["reports"] == len(carried)
    marks = {"Высокая": 100, "Средняя": 50, "Низкая": 0}
    names = [name for name in carried[0] if name.endswith("_grade")]
    scores = []
    for report in carried:
        counted = [marks[report[name]] for name in names if report[name] in marks]
        scores.append(sum(counted) / len(counted))
    assert abs(figures["mean_score"] - sum(scores) / len(scores)) < 0.01
    for share in figures["criteria"]:
        assert share["high"] + share["medium"] + share["low"] + share["absent"] == len(carried)
    coverage = figures["coverage"]
    written = await stage.rows(
        "SELECT count(DISTINCT chat_id) AS n FROM messages WHERE side <> 'system' AND sent_at >="
        " :start",
        start=(await stage.rows("SELECT period_start FROM digests"))[0]["period_start"],
    )
    assert (
        coverage["graded"]
        + sum(coverage["skipped"].values())
        + coverage["failed"]
        + coverage["waiting"]
        == written[0]["n"]
    )


async def test_later_reports_go_in_a_mail_of_their_own(stage: Stage) -> None:
    await graded_day(stage)
    await stage.mail()
    chat = next(iter(stage.avito.accounts[0].chats.values()))
    stage.avito.add_message(chat.id, "client", text="И ещё вопрос: какой цвет?")
    await stage.sync()
    await stage.analyze()
    assert (await stage.mail())["send_reports"] == 1
    assert len(received(stage, BOSS)) == 2
    today = stage.clock().astimezone(stage.service.settings.report_timezone).date().isoformat()
    assert len(await stage.reports(mail=today)) == 3


async def test_resend_mails_the_dates_reports_again_as_a_new_mail(stage: Stage) -> None:
    await graded_day(stage)
    await stage.mail()
    assert (await stage.mail(resend=True))["send_reports"] == 2
    first, again = received(stage, BOSS)
    assert read(first)["Message-ID"] != read(again)["Message-ID"]
    assert (await stage.mail())["send_reports"] == 0
    assert len(received(stage, BOSS)) == 2
    assert (await stage.mail(date="2020-01-01", resend=True))["send_reports"] == 0


async def test_a_repeat_that_nobody_got_is_sent_by_the_next_call_and_not_made_again(
    stage: Stage,
) -> None:
    await graded_day(stage)
    await stage.mail()
    stage.sandbox.smtp.switches.refuse_connections = True
    for _ in range(3):
        assert (await stage.post("/timer/reports", {"resend": True}, status=500))[
            "send_reports"
        ] == 0
    stage.sandbox.smtp.switches.refuse_connections = False
    assert (await stage.mail(resend=True))["send_reports"] == 2
    assert (len(received(stage, BOSS)), len(received(stage, SECOND))) == (
        2,
        2,
    ), "the mail and one repeat"
    assert (await stage.mail(resend=True))["send_reports"] == 2, (
        "once all have it, a repeat is a new mail again"
    )
    assert len(received(stage, BOSS)) == 3


async def test_only_the_recipient_who_was_not_reached_is_tried_again(stage: Stage) -> None:
    await graded_day(stage)
    stage.sandbox.smtp.switches.recipient_answers[SECOND] = "451 4.7.1 Try again later"
    body = await stage.post("/timer/reports", status=500)
    assert body["send_reports"] == 2
    assert SECOND in body["message"]
    assert BOSS not in body["message"]
    assert (
        f"Письмо за {date.fromisoformat(body['date']):%d.%m} не дошло до {SECOND}: "
        in body["message"]
    )
    assert "451" in body["message"]
    stage.sandbox.smtp.switches.recipient_answers.clear()
    assert (await stage.mail())["send_reports"] == 0, (
        "the reports were brought to their first recipient before"
    )
    assert (len(received(stage, BOSS)), len(received(stage, SECOND))) == (1, 1)


async def test_reports_count_in_the_call_that_brings_them(stage: Stage) -> None:
    await graded_day(stage)
    stage.sandbox.smtp.switches.refuse_connections = True
    assert (await stage.post("/timer/reports", status=500))["send_reports"] == 0
    stage.sandbox.smtp.switches.refuse_connections = False
    assert (await stage.mail())["send_reports"] == 2
    assert (await stage.mail())["send_reports"] == 0


async def test_an_address_refused_for_good_is_given_up_and_named_in_the_next_mail(
    stage: Stage,
) -> None:
    await graded_day(stage)
    stage.sandbox.smtp.switches.recipient_answers[SECOND] = "550 5.1.1 No such user"
    for _ in range(REFUSALS):
        assert "550" in (await stage.post("/timer/reports", status=500))["message"]
    assert (await stage.mail())["message"] == "Новых отчётов нет, письмо не отправлялось."
    (row,) = await stage.rows(
        "SELECT state, tries, answer FROM deliveries WHERE recipient = :to", to=SECOND
    )
    assert (row["state"], row["tries"]) == ("failed", REFUSALS)
    assert "550" in row["answer"]
    chat = next(iter(stage.avito.accounts[0].chats.values()))
    stage.avito.add_message(chat.id, "client", text="Ещё?")
    await stage.sync()
    await stage.analyze()
    await stage.post("/timer/reports", status=500)
    assert SECOND in words(received(stage, BOSS)[-1])


async def test_a_lost_answer_sends_the_identical_bytes_again(stage: Stage) -> None:
    """The mail arrived, the 250 did not: the second copy has the same Message-ID and can be told
    for what it is.
    """
    await graded_day(stage)
    stage.sandbox.smtp.switches.cut_after_dot = True
    await stage.post("/timer/reports", status=500)
    stage.sandbox.smtp.switches.cut_after_dot = False
    await stage.mail()
    first, again = received(stage, BOSS)
    assert first.data == again.data


async def test_an_address_taken_out_of_the_settings_is_not_tried_again(
    stage: Stage, database_url: str
) -> None:
    await graded_day(stage)
    stage.sandbox.smtp.switches.refuse_connections = True
    await stage.post("/timer/reports", status=500)
    stage.sandbox.smtp.switches.refuse_connections = False
    async with (
        stage.resting(),
        on_stage(database_url, stage.sandbox, report_recipients=(BOSS,)) as smaller,
    ):
        assert (await smaller.mail())["send_reports"] == 2
    assert (len(received(stage, BOSS)), len(received(stage, SECOND))) == (1, 0)


async def test_without_a_recipient_the_reports_stay(stage: Stage, database_url: str) -> None:
    await graded_day(stage)
    async with (
        stage.resting(),
        on_stage(database_url, stage.sandbox, report_recipients=(), smtp_host=None) as nobody,
    ):
        body = await nobody.post("/timer/reports", status=500)
        assert "REPORT_RECIPIENTS" in body["message"]
    assert (await stage.mail())["send_reports"] == 2


async def test_a_past_date_takes_what_was_written_before_its_end(stage: Stage) -> None:
    """And what came later is left for the next mail."""
    await graded_day(stage)
    zone = stage.service.settings.report_timezone
    yesterday = (stage.clock().astimezone(zone) - timedelta(days=1)).date().isoformat()
    assert (await stage.mail(date=yesterday))["send_reports"] == 0
    await stage.change("UPDATE reports SET created_at = created_at - interval '1 day' WHERE id = 1")
    answer = await stage.mail(date=yesterday)
    assert (answer["date"], answer["send_reports"]) == (yesterday, 1)
    assert (await stage.mail())["send_reports"] == 1


async def test_the_bytes_are_forgotten_when_everybody_has_the_mail(stage: Stage) -> None:
    await graded_day(stage)
    await stage.mail()
    assert await stage.rows("SELECT 1 FROM digests WHERE mime IS NOT NULL") == []


async def test_a_subject_keeps_its_blanks_wherever_it_is_folded(stage: Stage) -> None:
    await graded_day(stage)
    await stage.mail()
    (digest,) = await stage.rows("SELECT subject FROM digests")
    assert read(received(stage, BOSS)[0])["Subject"] == digest["subject"]


async def test_a_mail_sent_again_says_what_it_said(stage: Stage) -> None:
    """Whatever has been written, answered and graded since: figures, names, and the pages of the
    sheet.
    """
    await graded_day(stage)
    await stage.mail()
    stage.clock.move(hours=30)
    sofa, wardrobe, table = stage.avito.accounts[0].chats
    stage.avito.add_message(sofa, "client", text="А доставка?", at=stage.clock())
    for chat in (wardrobe, table):
        stage.avito.add_message(chat, "company", text="Добрый день!", at=stage.clock())
    await stage.sync()
    await stage.analyze(limit=1)
    day = (await stage.rows("SELECT day FROM digests"))[0]["day"].isoformat()
    await stage.mail(date=day, resend=True)
    first, again = await stage.rows("SELECT figures FROM digests ORDER BY id")
    assert len(first["figures"]["waiting_buyers"]) == 2
    assert again["figures"] == first["figures"] | {"part": "повтор"}
    sheets = [next(read(mail).iter_attachments()).get_content() for mail in received(stage, BOSS)]
    for page in ("Отчёты", "Ждут ответа", "Без оценки"):
        assert rows_of(sheets[0], page) == rows_of(sheets[1], page)


async def test_what_a_dead_process_left_sending_is_taken_up_by_the_scheduler(stage: Stage) -> None:
    """The mail was on the wire when the process died: it goes again, the identical bytes, without
    anybody's call.
    """
    await graded_day(stage)
    await stage.mail()
    await stage.change("UPDATE digests SET mime = 'Subject: x'::bytea")
    await stage.change(
        "UPDATE deliveries SET state = 'sending', next_try_at = now() + interval '5 minutes' WHERE"
        " recipient = :to",
        to=BOSS,
    )
    stage.clock.move(minutes=6)
    await ask_for_what_is_due(stage.service.database, stage.service.timetable, stage.clock)
    stage.service.worker.wake()

    async def arrived() -> bool:
        return len(received(stage, BOSS)) == 2

    await until(arrived)
    assert len(received(stage, SECOND)) == 1
    assert received(stage, BOSS)[1].data.endswith(b"Subject: x\r\n")


async def test_a_second_mail_of_a_date_says_what_it_is(stage: Stage) -> None:
    """A mean of few reports is not passed off as the day's, and a chat that was graded twice is
    shown once.
    """
    await graded_day(stage)
    await stage.mail()
    chats = [row["avito_id"] for row in await stage.rows("SELECT avito_id FROM chats ORDER BY id")]
    await stage.analyze(chat_ids=chats[:1], force=True)
    await stage.mail()
    await stage.mail(resend=True)
    first, supplement, resent = await stage.rows("SELECT subject, figures FROM digests ORDER BY id")
    assert "дополнение" not in first["subject"]
    assert ", дополнение: " in supplement["subject"]
    assert "по 1 отчёту" in supplement["subject"]
    assert ", повтор: " in resent["subject"]
    assert "по 3 отчётам" in resent["subject"]
    assert supplement["figures"]["days"][-1] == resent["figures"]["days"][-1], (
        "the day's bar is the whole date's"
    )
    shown = [chat["chat_id"] for chat in (*resent["figures"]["worst"], *resent["figures"]["best"])]
    assert shown
    assert len(set(shown)) == len(shown)


async def test_a_date_without_a_mail_has_nothing_to_repeat(stage: Stage) -> None:
    answer = await stage.mail(date="2026-01-01", resend=True)
    assert (answer["send_reports"], answer["message"]) == (
        0,
        "За 2026-01-01 писем не было, повторять нечего.",
    )
