"""``GET /reports/daily``: a day's mail as a page, and the list of days that have one."""

import re
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx

import app
from app.services.run_params import MailParams
from app.services.runs import submit, wait
from tests.support.stage import BAD_TALK, GOOD_TALK, Stage

MORNING = datetime(2026, 11, 22, 9, tzinfo=UTC)
DAY = "2026-11-22"


async def fetch_day(stage: Stage, day: str = DAY, status: int = 200) -> httpx.Response:
    answer = await stage.rest.get(f"/api/v1/reports/daily/{day}")
    assert answer.status_code == status, answer.text
    return answer


async def list_days(stage: Stage, **params: Any) -> list[dict[str, Any]]:
    answer = await stage.rest.get("/api/v1/reports/daily", params=params)
    assert answer.status_code == 200, answer.text
    return list(answer.json())


async def mail_reports(stage: Stage, **body: Any) -> None:
    await stage.sync()
    await stage.analyze()
    await stage.mail(**body)


def read_last_mail_html(stage: Stage) -> str:
    message = message_from_bytes(stage.sandbox.smtp.messages[-1].data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def visible_text(page: httpx.Response) -> str:
    """Return the visible text of a page in one line."""
    body = re.sub(r"(?s)^.*<body[^>]*>|<div style=.display:none.*?</div>|<[^>]+>", " ", page.text)
    return " ".join(unescape(body).split())


async def test_page_equals_the_sent_mail(full_stage: Stage) -> None:
    """Template and figures are the mail's, even if more chats have been graded since."""
    stage = full_stage
    stage.clock.set(MORNING)
    await mail_reports(stage)
    sent = read_last_mail_html(stage)
    assert "Худшие чаты" in sent
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.analyze()
    page = await fetch_day(stage)
    assert page.text.splitlines() == sent.splitlines()
    assert page.headers["content-type"] == "text/html; charset=utf-8"


async def test_worst_chats_have_the_report_number_in_the_link_cell(
    full_stage: Stage,
) -> None:
    """The web page uses that number to open a chat with the mailed report.

    Titles may have a number too.
    """
    stage = full_stage
    stage.clock.set(MORNING)
    for chat in stage.avito.accounts[0].chats.values():
        if chat.item:
            chat.item.title += " № 1"
    await mail_reports(stage)
    script = (Path(app.__file__).parent / "templates/page/day.js").read_text()
    (pattern,) = re.findall(r"/(.+)/s?\.exec\(cell\.textContent\)", script)
    cells = re.findall(
        r"<td\b[^>]*>((?:(?!<td\b|</td>).)*)</td>", (await fetch_day(stage)).text, re.DOTALL
    )
    named = {}
    for cell in cells:
        links = re.findall(r'href="https://www\.avito\.ru/profile/messenger/channel/([^"]+)"', cell)
        number = re.search(pattern, unescape(re.sub("<[^>]+>", "", cell)), re.DOTALL)
        if len(links) == 1 and number:
            named[int(number[1])] = unquote(links[0])
    assert len(named) >= 5
    listed = {report["id"]: report["chat_id"] for report in await stage.reports()}
    assert named.items() <= listed.items()


async def test_page_loads_and_runs_nothing(stage: Stage) -> None:
    stage.clock.set(MORNING)
    stage.add_talk(
        *BAD_TALK, title="<script>alert(1)</script>", client="<img src=x onerror=alert(1)>"
    )
    await mail_reports(stage)
    page = await fetch_day(stage)
    rules = dict(rule.split(" ", 1) for rule in page.headers["content-security-policy"].split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["style-src"] == "'unsafe-inline'"
    assert {
        name: rules[name] for name in ("base-uri", "form-action", "frame-ancestors")
    } == dict.fromkeys(("base-uri", "form-action", "frame-ancestors"), "'none'")
    assert "script-src" not in rules
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "&lt;script&gt;" in page.text
    assert "<script" not in page.text
    assert "<img" not in page.text


async def test_date_with_several_mails_has_common_figures(stage: Stage) -> None:
    """The figures are those of ``GET /reports?mail=`` and of a resend; the page lists the mails."""
    stage.clock.set(MORNING)
    stage.add_talk(*GOOD_TALK, title="Первый диван")
    await mail_reports(stage)
    assert "Письма этого дня" not in (await fetch_day(stage)).text
    stage.clock.move(hours=1)
    stage.add_talk(*BAD_TALK, title="Второй диван", minutes_ago=200)
    await mail_reports(stage)
    both = visible_text(await fetch_day(stage))
    listed = await stage.reports(mail=DAY)
    summary = (await stage.rest.get("/api/v1/reports/summary", params={"mail": DAY})).json()
    assert (len(listed), summary["reports"]) == (2, 2)
    assert f"Средняя оценка {summary['mean_score']:.0f} из 100, по 2 отчётам" in both
    assert "Чатов: 2 = оценено 2 " in both
    assert "Письма этого дня: 22.11 12:00 – 1 отчёт; 22.11 13:00 – дополнение, 1 отчёт" in both
    assert "Отчётов в письмах этого дня: 2" in both
    assert both.count("Худшие чаты") == both.count("Критерии") == 1
    assert {"Первый диван", "Второй диван"} <= set(re.findall("Первый диван|Второй диван", both))
    stage.clock.move(hours=1)
    await stage.mail(resend=True)
    again = visible_text(await fetch_day(stage))
    assert again.replace("; 22.11 14:00 – повтор, 2 отчёта", "") == both
    repeated, *_ = await stage.rows("SELECT figures, day_figures FROM digests ORDER BY id DESC")
    assert repeated["figures"] == repeated["day_figures"] | {"part": "повтор"}
    assert await list_days(stage) == [{"date": DAY, "mails": 2, "reports": 2, "resent": 1}]


async def test_page_lists_every_unanswered_buyer(stage: Stage) -> None:
    """The mail lists ten buyers and refers to its sheet; the page lists all of them."""
    stage.clock.set(MORNING)
    stage.add_talk(*GOOD_TALK)
    for number in range(12):
        stage.add_talk(("client", "Ещё продаёте?"), title=f"Диван {number}")
    await mail_reports(stage)
    assert "и ещё 2 – все в таблице письма, лист «Ждут ответа»" in unescape(
        read_last_mail_html(stage)
    )
    page = visible_text(await fetch_day(stage))
    assert "таблице" not in page
    assert all(f"Диван {number} " in page for number in range(12))


async def test_page_lists_unanswered_buyers_in_pages(stage: Stage) -> None:
    """The pages together list every buyer once, longest wait first, with the same figures."""
    stage.clock.set(MORNING)
    for number in range(205):
        stage.add_talk(("client", "Есть?"), title=f"Диван {number}", minutes_ago=600 - number)
    await stage.sync()
    await mail_daily(stage)
    found: list[str] = []
    address: str | None = f"/api/v1/reports/daily/{DAY}"
    for number in (1, 2, 3):
        assert address is not None
        answer = await stage.rest.get(address)
        assert answer.status_code == 200, answer.text
        shown = visible_text(answer)
        assert "Чатов: 205 = " in shown
        assert f"из 205: страница {number} из 3" in shown
        found += re.findall(r"Диван \d+(?= Анна)", shown)
        links = answer.links
        assert ("prev" in links) is (number > 1)
        address = links["next"]["url"] if "next" in links else None
    assert address is None
    assert found == [f"Диван {number}" for number in range(205)]
    beyond = await stage.rest.get(f"/api/v1/reports/daily/{DAY}", params={"page": 4})
    assert (beyond.status_code, beyond.json()["message"][:13]) == (404, "Страницы 4 не")
    assert (await stage.rest.get(f"/api/v1/reports/daily/{DAY}?page=0")).status_code == 400


async def mail_daily(stage: Stage) -> None:
    params = MailParams(date=date.fromisoformat(DAY), daily=True)
    run = await submit(stage.service.database, params, stage.clock)
    stage.service.worker.wake()
    await wait(stage.service.database, run)


async def test_date_without_a_mail_is_a_404_with_the_reason(stage: Stage) -> None:
    stage.clock.set(MORNING)
    for day, words in (
        ("2026-11-23", "не наступил, сегодня 2026-11-22"),
        (DAY, "За сегодня"),
        ("2026-11-21", "выберите день"),
    ):
        answer = await fetch_day(stage, day, 404)
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["status"] == "error"
        assert words.lower() in answer.json()["message"].lower()
    assert await list_days(stage) == []


async def test_dates_restrict_the_reports_of_a_mail(stage: Stage) -> None:
    """With the date of a mail neither date is required, and each one is a bound."""
    stage.clock.set(MORNING)
    stage.add_talk(*GOOD_TALK)
    await mail_reports(stage)
    ids = [report["id"] for report in await stage.reports(mail=DAY)]
    assert ids
    for params, expected in (
        ({"start_date": DAY}, ids),
        ({"start_date": "2026-11-23"}, []),
        ({"end_date": DAY}, ids),
        ({"end_date": "2026-11-21"}, []),
        ({"start_date": DAY, "end_date": DAY}, ids),
    ):
        listed = await stage.rest.get("/api/v1/reports", params={"mail": DAY, **params})
        counted = await stage.rest.get("/api/v1/reports/summary", params={"mail": DAY, **params})
        assert [report["id"] for report in listed.json()] == expected, params
        assert counted.json()["reports"] == len(expected), params


async def test_missed_day_shows_the_covering_mail(stage: Stage) -> None:
    stage.clock.set(MORNING)
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.analyze()
    await stage.change(
        "INSERT INTO runs (kind, slot, state, params, created_at) SELECT 'daily', slot, 'merged',"
        " '{}', now() FROM unnest(ARRAY['2026-11-20', '2026-11-21']) AS slot"
    )
    run_id = await submit(
        stage.service.database, MailParams(day=date.fromisoformat(DAY), daily=True), stage.clock
    )
    stage.service.worker.wake()
    await wait(stage.service.database, run_id)
    own = (await fetch_day(stage)).text
    assert "20.11, 21.11, 22.11" in own
    assert (await fetch_day(stage, "2026-11-21")).text == own
    assert "выберите день" in (await fetch_day(stage, "2026-11-19", 404)).json()["message"]
    assert await stage.reports(mail="2026-11-21") == await stage.reports(mail=DAY) != []
    summary = (
        await stage.rest.get("/api/v1/reports/summary", params={"mail": "2026-11-20"})
    ).json()
    assert summary["reports"] == 1


async def test_days_are_newest_first_and_can_be_paged(stage: Stage) -> None:
    stage.clock.set(MORNING)
    for _ in range(3):
        stage.add_talk(*GOOD_TALK)
        await mail_reports(stage)
        stage.clock.move(days=1)
    assert [entry["date"] for entry in await list_days(stage)] == ["2026-11-24", "2026-11-23", DAY]
    assert [entry["date"] for entry in await list_days(stage, limit=1)] == ["2026-11-24"]
    assert [entry["date"] for entry in await list_days(stage, before="2026-11-24", limit=1)] == [
        "2026-11-23"
    ]
    assert await list_days(stage, before=DAY) == []


async def test_key_and_valid_day_are_required(stage: Stage) -> None:
    for day in ("2026-11-31", "20261122", "today", "0"):
        answer = await fetch_day(stage, day, 400)
        assert [error["field"] for error in answer.json()["errors"]] == ["date"]
    for path in ("/api/v1/reports/daily", f"/api/v1/reports/daily/{DAY}"):
        assert (await stage.rest.get(path, headers={"X-API-Key": "wrong"})).status_code == 401
    assert (await fetch_day(stage, f"{DAY}?format=pdf", 400)).json()["errors"][0][
        "field"
    ] == "format"
    yesterday = (stage.clock() - timedelta(days=1)).date()
    assert (await stage.rest.post(f"/api/v1/reports/daily/{yesterday}")).status_code == 405
