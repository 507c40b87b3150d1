"""The mailer: recipients, contents, and no mail twice."""

from datetime import date, timedelta

from app.domain.delivery_retry import MAX_REFUSALS
from tests.support.daily_mails import BOSS, SECOND, grade_day, list_mails, parse_mail, read_text
from tests.support.label_sheets import read_rows
from tests.support.scheduler import queue_due_runs
from tests.support.stage import Stage, on_stage, until


async def test_each_recipient_gets_one_mail_with_the_same_figures(stage: Stage) -> None:
    await grade_day(stage)
    assert (await stage.mail())["send_reports"] == 2
    (boss,), (second,) = list_mails(stage, BOSS), list_mails(stage, SECOND)
    assert read_text(boss) == read_text(second)
    assert parse_mail(boss)["Message-ID"] != parse_mail(second)["Message-ID"]
    assert (parse_mail(boss)["To"], parse_mail(boss)["From"].addresses[0].addr_spec) == (
        BOSS,
        "reports@example.ru",
    )
    assert parse_mail(boss)["Auto-Submitted"] == "auto-generated"
    assert "Шкаф" in read_text(boss)
    assert "3 = " in read_text(boss).replace("\u00a0", " "), "N is the sum of the four"


async def test_mail_figures_match_its_reports(full_stage: Stage) -> None:
    """The number of chats, the sum of the four outcomes and the mean score match REST."""
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


async def test_later_reports_are_sent_in_another_mail(stage: Stage) -> None:
    await grade_day(stage)
    await stage.mail()
    chat = next(iter(stage.avito.accounts[0].chats.values()))
    stage.avito.add_message(chat.id, "client", text="И ещё вопрос: какой цвет?")
    await stage.sync()
    stage.clock.move(minutes=31)
    await stage.analyze()
    assert (await stage.mail())["send_reports"] == 1
    assert len(list_mails(stage, BOSS)) == 2
    today = stage.clock().astimezone(stage.service.settings.report_timezone).date().isoformat()
    assert len(await stage.reports(mail=today)) == 3


async def test_resend_sends_the_dates_reports_as_a_new_mail(stage: Stage) -> None:
    await grade_day(stage)
    await stage.mail()
    assert (await stage.mail(resend=True))["send_reports"] == 2
    first, again = list_mails(stage, BOSS)
    assert parse_mail(first)["Message-ID"] != parse_mail(again)["Message-ID"]
    assert (await stage.mail())["send_reports"] == 0
    assert len(list_mails(stage, BOSS)) == 2
    assert (await stage.mail(date="2020-01-01", resend=True))["send_reports"] == 0


async def test_undelivered_resend_is_sent_by_the_next_call_not_composed_again(
    stage: Stage,
) -> None:
    await grade_day(stage)
    await stage.mail()
    stage.sandbox.smtp.switches.refuse_connections = True
    for _ in range(3):
        assert (await stage.post("/timer/reports", {"resend": True}, status=500))[
            "send_reports"
        ] == 0
    stage.sandbox.smtp.switches.refuse_connections = False
    assert (await stage.mail(resend=True))["send_reports"] == 2
    assert (len(list_mails(stage, BOSS)), len(list_mails(stage, SECOND))) == (
        2,
        2,
    ), "the mail and one resend"
    assert (await stage.mail(resend=True))["send_reports"] == 2, (
        "after delivery to all recipients, a resend is a new mail"
    )
    assert len(list_mails(stage, BOSS)) == 3


async def test_only_the_failed_recipient_is_retried(stage: Stage) -> None:
    await grade_day(stage)
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
        "the reports have reached their first recipient before"
    )
    assert (len(list_mails(stage, BOSS)), len(list_mails(stage, SECOND))) == (1, 1)


async def test_reports_are_counted_in_the_call_that_delivers_them(stage: Stage) -> None:
    await grade_day(stage)
    stage.sandbox.smtp.switches.refuse_connections = True
    assert (await stage.post("/timer/reports", status=500))["send_reports"] == 0
    stage.sandbox.smtp.switches.refuse_connections = False
    assert (await stage.mail())["send_reports"] == 2
    assert (await stage.mail())["send_reports"] == 0


async def test_permanently_rejected_address_is_given_up_and_named_in_the_next_mail(
    stage: Stage,
) -> None:
    await grade_day(stage)
    stage.sandbox.smtp.switches.recipient_answers[SECOND] = "550 5.1.1 No such user"
    for _ in range(MAX_REFUSALS):
        assert "550" in (await stage.post("/timer/reports", status=500))["message"]
    assert (await stage.mail())["message"] == "Новых отчётов нет, письмо не отправлялось."
    (row,) = await stage.rows(
        "SELECT state, tries, answer FROM deliveries WHERE recipient = :to", to=SECOND
    )
    assert (row["state"], row["tries"]) == ("failed", MAX_REFUSALS)
    assert "550" in row["answer"]
    chat = next(iter(stage.avito.accounts[0].chats.values()))
    stage.avito.add_message(chat.id, "client", text="Ещё?")
    await stage.sync()
    stage.clock.move(minutes=31)
    await stage.analyze()
    await stage.post("/timer/reports", status=500)
    assert SECOND in read_text(list_mails(stage, BOSS)[-1])


async def test_after_a_lost_reply_identical_bytes_are_sent_again(stage: Stage) -> None:
    """The mail arrived, the 250 did not.

    The second copy has the same Message-ID, so it is recognizable as a duplicate.
    """
    await grade_day(stage)
    stage.sandbox.smtp.switches.cut_after_dot = True
    await stage.post("/timer/reports", status=500)
    stage.sandbox.smtp.switches.cut_after_dot = False
    await stage.mail()
    first, again = list_mails(stage, BOSS)
    assert first.data == again.data


async def test_address_removed_from_the_settings_is_not_retried(
    stage: Stage, database_url: str
) -> None:
    await grade_day(stage)
    stage.sandbox.smtp.switches.refuse_connections = True
    await stage.post("/timer/reports", status=500)
    stage.sandbox.smtp.switches.refuse_connections = False
    async with (
        stage.resting(),
        on_stage(database_url, stage.sandbox, report_recipients=(BOSS,)) as smaller,
    ):
        assert (await smaller.mail())["send_reports"] == 2
    assert (len(list_mails(stage, BOSS)), len(list_mails(stage, SECOND))) == (1, 0)


async def test_without_recipients_the_reports_are_kept(stage: Stage, database_url: str) -> None:
    await grade_day(stage)
    async with (
        stage.resting(),
        on_stage(database_url, stage.sandbox, report_recipients=(), smtp_host=None) as unaddressed,
    ):
        body = await unaddressed.post("/timer/reports", status=500)
        assert "REPORT_RECIPIENTS" in body["message"]
    assert (await stage.mail())["send_reports"] == 2


async def test_past_date_has_the_reports_created_before_its_end(stage: Stage) -> None:
    """Later reports are left for the next mail."""
    await grade_day(stage)
    zone = stage.service.settings.report_timezone
    yesterday = (stage.clock().astimezone(zone) - timedelta(days=1)).date().isoformat()
    assert (await stage.mail(date=yesterday))["send_reports"] == 0
    await stage.change("UPDATE reports SET created_at = created_at - interval '1 day' WHERE id = 1")
    answer = await stage.mail(date=yesterday)
    assert (answer["date"], answer["send_reports"]) == (yesterday, 1)
    assert (await stage.mail())["send_reports"] == 1


async def test_bytes_are_deleted_after_all_deliveries(stage: Stage) -> None:
    await grade_day(stage)
    await stage.mail()
    assert await stage.rows("SELECT 1 FROM digests WHERE mime IS NOT NULL") == []


async def test_folded_subject_keeps_its_blanks(stage: Stage) -> None:
    await grade_day(stage)
    await stage.mail()
    (digest,) = await stage.rows("SELECT subject FROM digests")
    assert parse_mail(list_mails(stage, BOSS)[0])["Subject"] == digest["subject"]


async def test_resent_mail_has_the_same_content(stage: Stage) -> None:
    """Figures, names and sheets do not change with later messages, answers and gradings."""
    await grade_day(stage)
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
    sheets = [
        next(parse_mail(mail).iter_attachments()).get_content() for mail in list_mails(stage, BOSS)
    ]
    for page in ("Отчёты", "Ждут ответа", "Без оценки"):
        assert read_rows(sheets[0], page) == read_rows(sheets[1], page)


async def test_scheduler_retries_the_delivery_of_a_dead_process(stage: Stage) -> None:
    """The process died while sending. The identical bytes are sent again without a call."""
    await grade_day(stage)
    await stage.mail()
    await stage.change("UPDATE digests SET mime = 'Subject: x'::bytea")
    await stage.change(
        "UPDATE deliveries SET state = 'sending', next_try_at = now() + interval '5 minutes' WHERE"
        " recipient = :to",
        to=BOSS,
    )
    stage.clock.move(minutes=6)
    await queue_due_runs(stage.service.database, stage.service.timetable, stage.clock)
    stage.service.worker.wake()

    async def has_arrived() -> bool:
        return len(list_mails(stage, BOSS)) == 2

    await until(has_arrived)
    assert len(list_mails(stage, SECOND)) == 1
    assert list_mails(stage, BOSS)[1].data.endswith(b"Subject: x\r\n")


async def test_second_mail_of_a_date_is_labelled(stage: Stage) -> None:
    """Its mean is labelled as that of few reports. A chat that was graded twice is listed once."""
    await grade_day(stage)
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
        "the day's bar shows the whole date"
    )
    shown = [chat["chat_id"] for chat in (*resent["figures"]["worst"], *resent["figures"]["best"])]
    assert shown
    assert len(set(shown)) == len(shown)


async def test_date_without_a_mail_cannot_be_resent(stage: Stage) -> None:
    answer = await stage.mail(date="2026-01-01", resend=True)
    assert (answer["send_reports"], answer["message"]) == (
        0,
        "За 2026-01-01 писем не было, повторять нечего.",
    )
