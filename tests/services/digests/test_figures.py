"""One source of figures.

The mail, its attachment, ``/reports/summary`` and the list of reports agree.
"""

from collections import Counter
from datetime import datetime, timedelta
from statistics import mean, median

from app.russian_text import number, percent, span
from app.sandbox.avito import LocalAvito
from app.sandbox.avito_state import numbered_account
from app.sandbox.server import Sandbox
from tests.support.digests import (
    GRADES,
    NOON,
    as_in_excel,
    figures,
    mail_day,
    read_attachment,
    score,
    summary,
)
from tests.support.stage import BAD_TALK, GOOD_TALK, Stage, on_stage


async def test_mail_attachment_summary_and_list_agree(full_stage: Stage) -> None:
    """The test sums ``GET /reports?mail=`` and finds its sums in all other outputs."""
    stage = full_stage
    await stage.sync()
    await stage.analyze()
    day = (await stage.mail())["date"]
    listed = await stage.reports(mail=day)
    assert len(listed) > 40
    rows, waiting, ungraded = read_attachment(stage)
    told, stored, text = (
        await summary(stage, mail=day),
        await figures(stage),
        stage.last_mail().replace("\u00a0", " "),
    )

    assert rows == [as_in_excel(report) for report in listed]
    assert list(rows[0]) == list(listed[0])
    scores = [score(report) for report in listed]
    bad = sum(one < 50 for one in scores)
    assert stored["reports"] == told["reports"] == len(listed)
    assert abs(stored["mean_score"] - mean(scores)) < 0.01
    assert abs(told["mean_score"] - mean(scores)) < 0.01
    assert f"Средняя оценка: {number(mean(scores))} (из 100, по {len(listed)} отчётам)" in text
    assert stored["bad_reports"] == told["bad_reports"] == bad
    assert (
        f"Оценка ниже 50: {percent(bad, len(listed))} ({bad} из {len(listed)} отчётов".replace(
            "\u00a0", " "
        )
        in text
    )
    for name, share, kept in zip(GRADES, told["criteria"], stored["criteria"], strict=True):
        grades = Counter(report[f"{name}_grade"] for report in listed)
        counts = tuple(
            grades[grade] for grade in ("Высокая", "Средняя", "Низкая", "Нет возражений")
        )
        assert share["criterion"] == name
        assert tuple(share[key] for key in ("high", "medium", "low", "not_applicable")) == counts
        assert tuple(kept[key] for key in ("high", "medium", "low", "absent")) == counts
        assert f"Высокая {counts[0]} · Средняя {counts[1]} · Низкая {counts[2]}" in text
        assert share["high_share"] == round(counts[0] / sum(counts[:3]), 4)
    assert len(waiting) == len(stored["waiting_buyers"])
    assert f"Ждут ответа: {len(waiting)} " in text
    assert Counter(row["reason"] for row in ungraded) == stored["coverage"]["skipped"]
    assert {row["status"] for row in ungraded} == {"пропущен"}
    assert len(ungraded) + len({row["chat_id"] for row in rows}) == len(
        stage.avito.accounts[0].chats
    ), "every chat is accounted for"
    assert [row["chat_id"] for row in waiting] == [
        buyer["chat_id"] for buyer in stored["waiting_buyers"]
    ]


async def test_mean_is_rounded_once(stage: Stage) -> None:
    """Scores have two decimals. Their exact mean would be 62.4983: 62 in the mail, 62.5 over REST.

    The mean of the grades is 62.5.
    """
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.analyze()
    await stage.copy_first_report(5)
    await stage.change(
        "UPDATE reports SET score = given.score FROM (SELECT id,"
        " (ARRAY[58.33, 58.33, 58.33, 100, 50, 50])[row_number() OVER (ORDER BY id)] AS score"
        " FROM reports) AS given WHERE given.id = reports.id"
    )
    day = (await stage.mail())["date"]
    told, stored = await summary(stage, mail=day), await figures(stage)
    (listing,) = told["by_listing"]
    assert told["mean_score"] == listing["mean_score"] == stored["mean_score"] == 62.5
    assert stored["days"][-1]["mean_score"] == stored["series"][0]["mean_score"] == 62.5
    assert "Средняя оценка: 63 " in stage.last_mail()


async def test_first_answer_times_are_those_of_the_reports(full_stage: Stage) -> None:
    stage = full_stage
    await stage.sync()
    await stage.analyze()
    day = (await stage.mail())["date"]
    details = [
        (await stage.rest.get(f"/api/v1/reports/{report['id']}")).json()
        for report in await stage.reports(mail=day)
    ]
    seconds = sorted(detail["answer_times"]["first_answer_seconds"] for detail in details)
    place = 0.9 * (len(seconds) - 1)
    p90 = seconds[int(place)] + (place % 1) * (seconds[int(place) + 1] - seconds[int(place)])
    told, stored = (
        (await summary(stage, mail=day))["first_answer"],
        (await figures(stage))["first_answer"],
    )
    assert (told["reports"], stored["answered"]) == (len(seconds), len(seconds))
    assert told["median_seconds"] == stored["median_seconds"] == median(seconds)
    assert abs(stored["p90_seconds"] - p90) < 0.01
    words = span(int(median(seconds) / 60 + 0.5)), span(int(p90 / 60 + 0.5))
    text = stage.last_mail()
    assert f"Первый ответ: {words[0]} " in text
    assert f"p90: {words[1]} " in text


async def test_account_removed_from_the_settings_is_not_reported_as_read(
    database_url: str,
) -> None:
    """It is named while the mail has data of it; its last sync is not that of the mail."""
    avito = LocalAvito([numbered_account(1), numbered_account(2)])
    kept, gone = avito.accounts
    async with Sandbox(avito=avito) as sandbox, on_stage(database_url, sandbox) as both:
        both.clock.set(NOON)
        waits = both.add_talk(("client", "Ещё продаёте?"))
        gone.put(kept.chats.pop(waits.id))
        await mail_day(both, GOOD_TALK)
        assert f"Аккаунты: {kept.name}, {gone.name}" in both.last_mail().splitlines()
        avito.accounts.remove(gone)
        async with both.resting(), on_stage(database_url, sandbox, both.clock) as one:
            for days, more in (
                (-1, f"; больше не читаем, нет в настройках: {gone.name}"),
                (-8, ""),
            ):
                today = await mail_day(one, GOOD_TALK, days_ago=days)
                assert f"Аккаунт: {kept.name}{more}" in one.last_mail().splitlines()
                assert datetime.fromisoformat(today["synced_at"]) >= NOON - timedelta(days=days)
                assert len(today["waiting_buyers"]) == bool(more)


async def test_mail_of_a_past_date_names_buyers_unanswered_at_its_end(stage: Stage) -> None:
    """This includes buyers who were answered later or have asked again."""
    stage.clock.set(NOON - timedelta(days=1))
    stage.add_talk(*GOOD_TALK)
    asked = [
        stage.add_talk(("client", "Ещё продаёте?"), title=title, minutes_ago=age)
        for title, age in (("Стол", 50), ("Стул", 90))
    ]
    await stage.sync()
    await stage.analyze()
    stage.clock.set(NOON)
    stage.avito.add_message(asked[0].id, "company", text="Да", at=NOON)
    stage.avito.add_message(asked[1].id, "client", text="Ау?", at=NOON)
    await stage.sync()
    await stage.mail(date="2026-03-14")
    expected_text = await figures(stage)
    assert [(buyer["chat_title"], buyer["since"]) for buyer in expected_text["waiting_buyers"]] == [
        ("Стул", "2026-03-14T07:30:00Z"),
        ("Стол", "2026-03-14T08:10:00Z"),
    ]
    now = "; так на 15.03 12:00"
    assert now in stage.last_mail().replace("\u00a0", " "), (
        "what has become of the chats is of today"
    )
    await stage.mail(date="2026-03-14", resend=True)
    assert now in stage.last_mail().replace("\u00a0", " ")
    await stage.analyze()
    await stage.mail()
    assert "; так на" not in stage.last_mail().replace("\u00a0", " ")


async def test_reports_of_chats_outside_the_period_are_counted(stage: Stage) -> None:
    """A call grades chats of any age, and a chat may be graded twice between two mails.

    The figures of the mail still add up.
    """
    chat = stage.add_talk(*GOOD_TALK)
    stage.add_talk(*GOOD_TALK, title="Давний", minutes_ago=60 * 24 * 20)
    await stage.sync()
    await stage.analyze()
    stage.avito.add_message(chat.id, "client", text="А цвет какой?", at=stage.clock())
    await stage.sync()
    stage.clock.move(minutes=31)
    await stage.analyze()
    await stage.mail()
    carried = (await figures(stage))["carried"]
    assert carried == {
        "of_graded_chats": 1,
        "of_same_chats": 1,
        "of_other_chats": 1,
        "graded_chats_mailed_before": 0,
    }
    assert "Чатов: 1 = оценено 1 " in stage.last_mail().replace("\u00a0", " ")
    assert "Отчётов в письме 3: 2 по чатам этого периода" in stage.last_mail()
    stage.add_talk(*BAD_TALK)
    await stage.sync()
    await stage.analyze()
    await stage.mail()
    carried = (await figures(stage))["carried"]
    assert carried == {
        "of_graded_chats": 1,
        "of_same_chats": 0,
        "of_other_chats": 0,
        "graded_chats_mailed_before": 1,
    }


async def test_shares_are_shares_of_reports(stage: Stage) -> None:
    """A chat graded twice counts as two reports in the mean and the shares."""
    chat = stage.add_talk(*BAD_TALK, minutes_ago=200)
    await stage.sync()
    await stage.analyze()
    stage.avito.add_message(chat.id, "client", text="Ау?", at=stage.clock())
    await stage.sync()
    stage.clock.move(minutes=31)
    await stage.analyze()
    told = await summary(stage, mail=(await stage.mail())["date"])
    assert (told["reports"], told["chats"], told["bad_reports"], told["bad_share"]) == (2, 1, 2, 1)
    text = stage.last_mail().replace("\u00a0", " ")
    assert "Оценка ниже 50: 100 % (2 из 2 отчётов, мало данных)" in text
    assert "Чатов: 1 = оценено 1 " in text
