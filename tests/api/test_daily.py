"""``GET /reports/daily``: a day as its mails told it, and which days have one."""

import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from typing import Any
from urllib.parse import unquote

import httpx

from app.models import RunKind
from app.services.runs import submit, wait
from tests.stage import BAD_TALK, GOOD_TALK, Stage

MORNING = datetime(2026, 11, 22, 9, tzinfo=UTC)
DAY = "2026-11-22"


async def day_page(stage: Stage, day: str = DAY, status: int = 200) -> httpx.Response:
    answer = await stage.rest.get(f"/api/v1/reports/daily/{day}")
    assert answer.status_code == status, answer.text
    return answer


async def days(stage: Stage, **params: Any) -> list[dict[str, Any]]:
    answer = await stage.rest.get("/api/v1/reports/daily", params=params)
    assert answer.status_code == 200, answer.text
    return list(answer.json())


async def mailed(stage: Stage, **body: Any) -> None:
    await stage.sync()
    await stage.analyze()
    await stage.mail(**body)


def html_of_last_mail(stage: Stage) -> str:
    message = message_from_bytes(stage.sandbox.smtp.messages[-1].data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def seen(page: httpx.Response) -> str:
    """What is read on it, in one line."""
    body = re.sub(r"(?s)^.*<body[^>]*>|<div style=.display:none.*?</div>|<[^>]+>", " ", page.text)
    return " ".join(unescape(body).split())


async def test_it_is_the_mail_that_left(full_stage: Stage) -> None:
    """To the letter: template and figures are the mail's, whatever has been graded since."""
    stage = full_stage
    stage.clock.set(MORNING)
    await mailed(stage)
    sent = html_of_last_mail(stage)
    assert "Худшие чаты" in sent
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.analyze()
    page = await day_page(stage)
    assert page.text.splitlines() == sent.splitlines()
    assert page.headers["content-type"] == "text/html; charset=utf-8"


async def test_the_worst_chats_name_their_reports_in_the_cell_of_the_link(
    full_stage: Stage,
) -> None:
    """By that number the page opens a chat with the report that the mail speaks of."""
    stage = full_stage
    stage.clock.set(MORNING)
    await mailed(stage)
    cells = re.findall(
        r"<td\b[^>]*>((?:(?!<td\b|</td>).)*)</td>", (await day_page(stage)).text, re.DOTALL
    )
    named = {}
    for cell in cells:
        links = re.findall(r'href="https://www\.avito\.ru/profile/messenger/channel/([^"]+)"', cell)
        number = re.search(r"№\s*(\d+)", unescape(re.sub("<[^>]+>", "", cell)))
        if len(links) == 1 and number:
            named[int(number[1])] = unquote(links[0])
    assert len(named) >= 5
    listed = {report["id"]: report["chat_id"] for report in await stage.reports()}
    assert named.items() <= listed.items()


async def test_it_may_load_and_run_nothing(stage: Stage) -> None:
    stage.clock.set(MORNING)
    stage.add_talk(
        *BAD_TALK, title="<script>alert(1)</script>", client="<img src=x onerror=alert(1)>"
    )
    await mailed(stage)
    page = await day_page(stage)
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


async def test_a_date_with_several_mails_has_one_set_of_figures(stage: Stage) -> None:
    """They are those of ``GET /reports?mail=`` and of a repeat; which mails brought them is said."""
    stage.clock.set(MORNING)
    stage.add_talk(*GOOD_TALK, title="Первый диван")
    await mailed(stage)
    assert "Письма этого дня" not in (await day_page(stage)).text
    stage.clock.move(hours=1)
    stage.add_talk(*BAD_TALK, title="Второй диван")
    await mailed(stage)
    both = seen(await day_page(stage))
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
    again = seen(await day_page(stage))
    assert again.replace("; 22.11 14:00 – повтор, 2 отчёта", "") == both
    repeated, *_ = await stage.rows("SELECT figures, day_figures FROM digests ORDER BY id DESC")
    assert repeated["figures"] == repeated["day_figures"] | {"part": "повтор"}
    assert await days(stage) == [{"date": DAY, "mails": 2, "reports": 2, "resent": 1}]


async def test_every_buyer_who_waits_is_named(stage: Stage) -> None:
    """The mail names ten and speaks of its sheet; a page has neither the sheet nor the need."""
    stage.clock.set(MORNING)
    stage.add_talk(*GOOD_TALK)
    for number in range(12):
        stage.add_talk(("client", "Ещё продаёте?"), title=f"Диван {number}")
    await mailed(stage)
    assert "и ещё 2 – все в таблице письма, лист «Ждут ответа»" in unescape(
        html_of_last_mail(stage)
    )
    page = seen(await day_page(stage))
    assert "таблице" not in page
    assert all(f"Диван {number} " in page for number in range(12))


async def test_a_date_without_a_mail_tells_why(stage: Stage) -> None:
    stage.clock.set(MORNING)
    for day, words in (
        ("2026-11-23", "не наступил, сегодня 2026-11-22"),
        (DAY, "За сегодня"),
        ("2026-11-21", "выберите день"),
    ):
        answer = await day_page(stage, day, 404)
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["status"] == "error"
        assert words.lower() in answer.json()["message"].lower()
    assert await days(stage) == []


async def test_a_missed_day_shows_the_mail_that_covers_it(stage: Stage) -> None:
    stage.clock.set(MORNING)
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.analyze()
    await stage.change(
        "INSERT INTO runs (kind, slot, state, params, created_at) SELECT 'daily', slot, 'merged',"
        " '{}', now() FROM unnest(ARRAY['2026-11-20', '2026-11-21']) AS slot"
    )
    run_id = await submit(
        stage.service.database, RunKind.MAIL, stage.clock, params={"date": DAY, "daily": True}
    )
    stage.service.worker.wake()
    await wait(stage.service.database, run_id)
    own = (await day_page(stage)).text
    assert "20.11, 21.11, 22.11" in own
    assert (await day_page(stage, "2026-11-21")).text == own
    assert "выберите день" in (await day_page(stage, "2026-11-19", 404)).json()["message"]
    assert await stage.reports(mail="2026-11-21") == await stage.reports(mail=DAY) != []
    summary = (
        await stage.rest.get("/api/v1/reports/summary", params={"mail": "2026-11-20"})
    ).json()
    assert summary["reports"] == 1


async def test_days_are_newest_first_and_can_be_paged(stage: Stage) -> None:
    stage.clock.set(MORNING)
    for _ in range(3):
        stage.add_talk(*GOOD_TALK)
        await mailed(stage)
        stage.clock.move(days=1)
    assert [entry["date"] for entry in await days(stage)] == ["2026-11-24", "2026-11-23", DAY]
    assert [entry["date"] for entry in await days(stage, limit=1)] == ["2026-11-24"]
    assert [entry["date"] for entry in await days(stage, before="2026-11-24", limit=1)] == [
        "2026-11-23"
    ]
    assert await days(stage, before=DAY) == []


async def test_it_needs_a_key_and_a_day(stage: Stage) -> None:
    for day in ("2026-11-31", "20261122", "today", "0"):
        answer = await day_page(stage, day, 400)
        assert [error["field"] for error in answer.json()["errors"]] == ["date"]
    for path in ("/api/v1/reports/daily", f"/api/v1/reports/daily/{DAY}"):
        assert (await stage.rest.get(path, headers={"X-API-Key": "wrong"})).status_code == 401
    assert (await day_page(stage, f"{DAY}?format=pdf", 400)).json()["errors"][0][
        "field"
    ] == "format"
    yesterday = (stage.clock() - timedelta(days=1)).date()
    assert (await stage.rest.post(f"/api/v1/reports/daily/{yesterday}")).status_code == 405
