"""``GET /reports``: periods, filters, pages, and lists that need several database queries."""

import json
import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from app.services.reports.reading import CHUNK
from tests.support.reports import add_ordered_reports
from tests.support.stage import Stage


async def add_many_reports(stage: Stage, copies: int) -> None:
    """Add copies of a real report, one second apart, going back in time."""
    await add_ordered_reports(stage)
    await stage.copy_first_report(copies)


async def fetch_pages(stage: Stage, **params: Any) -> list[list[dict[str, Any]]]:
    """Return every page, following the Link headers like a client."""
    answer = await stage.rest.get(
        "/api/v1/reports", params={"start_date": "2020-01-01", "end_date": "2099-12-31", **params}
    )
    found = [answer.json()]
    while "link" in answer.headers:
        link = re.fullmatch(r'<(.+)>; rel="next"', answer.headers["link"])
        assert link
        answer = await stage.rest.get(link[1])
        assert answer.status_code == 200, answer.text
        found.append(answer.json())
    return found


async def test_period_includes_both_days_in_the_report_timezone(stage: Stage) -> None:
    """A report a second before midnight in Moscow is of that day, one at midnight of the next."""
    await add_ordered_reports(stage)
    zone = stage.service.settings.report_timezone
    midnight = datetime(2026, 3, 15, tzinfo=zone)
    await stage.change(
        "UPDATE reports SET created_at = :at WHERE id = 1", at=midnight - timedelta(seconds=1)
    )
    await stage.change("UPDATE reports SET created_at = :at WHERE id = 2", at=midnight)

    async def list_ids(start: str, end: str) -> list[int]:
        return [report["id"] for report in await stage.reports(start_date=start, end_date=end)]

    assert await list_ids("2026-03-14", "2026-03-14") == [1]
    assert await list_ids("2026-03-15", "2026-03-15") == [2]
    assert await list_ids("2026-03-14", "2026-03-15") == [2, 1], "newest first"
    assert await list_ids("2026-03-16", "2026-03-17") == []


async def test_report_is_listed_on_the_day_of_created_at(full_stage: Stage) -> None:
    await full_stage.sync()
    await full_stage.analyze(limit=3)
    for report in await full_stage.reports():
        day = report["created_at"][:10]
        assert report["id"] in [
            found["id"] for found in await full_stage.reports(start_date=day, end_date=day)
        ]


async def test_filters_select_reports(stage: Stage) -> None:
    await add_ordered_reports(stage)
    reports = {report["chat_title"]: report for report in await stage.reports()}
    assert reports["Диван"]["tonality_grade"] != reports["Шкаф"]["tonality_grade"]

    async def list_titles(**params: Any) -> set[str]:
        return {report["chat_title"] for report in await stage.reports(**params)}

    assert await list_titles(chat_id=reports["Шкаф"]["chat_id"]) == {"Шкаф"}
    assert await list_titles(chat_id="u2i-nobody") == set()
    assert await list_titles(tonality_grade=reports["Диван"]["tonality_grade"]) == {"Диван"}
    both = [reports["Диван"]["tonality_grade"], reports["Шкаф"]["tonality_grade"]]
    assert await list_titles(tonality_grade=both) == {"Диван", "Шкаф"}
    assert await list_titles(objection_handling_grade="Нет возражений") == {"Диван"}
    account = stage.avito.accounts[0]
    assert (
        await list_titles(account=account.name)
        == await list_titles(account=account.user_id)
        == {"Диван", "Шкаф"}
    )
    assert await list_titles(account="Чужой") == set()
    today = reports["Диван"]["created_at"][:10]
    assert await list_titles(mail=today) == set()
    await stage.mail()
    assert await list_titles(mail=today) == {"Диван", "Шкаф"}
    answer = await stage.rest.get("/api/v1/reports", params={"mail": today})
    assert len(answer.json()) == 2, "the reports of a mail need no period"


async def test_all_reports_of_the_period_are_returned(stage: Stage) -> None:
    copies = 2 * CHUNK + 7
    await add_many_reports(stage, copies)
    answer = await stage.rest.get(
        "/api/v1/reports", params={"start_date": "2020-01-01", "end_date": "2099-12-31"}
    )
    list_ids = [report["id"] for report in json.loads(answer.text)]
    assert len(list_ids) == len(set(list_ids)) == copies + 2
    stored = await stage.rows("SELECT id FROM reports ORDER BY created_at DESC, id DESC")
    assert list_ids == [row["id"] for row in stored]


async def test_pages_have_each_report_once_while_new_ones_are_added(stage: Stage) -> None:
    await add_many_reports(stage, 20)
    expected = [report["id"] for report in await stage.reports()]
    first = await stage.rest.get(
        "/api/v1/reports", params={"start_date": "2020-01-01", "end_date": "2099-12-31", "limit": 7}
    )
    chat = next(iter(stage.avito.accounts[0].chats.values()))
    stage.avito.add_message(chat.id, "client", text="Ещё вопрос")
    await stage.sync()
    await stage.analyze()
    later = await fetch_pages(
        stage, limit=7, cursor=parse_qs(urlsplit(first.links["next"]["url"]).query)["cursor"][0]
    )
    assert [len(page) for page in later] == [7, 7, 1]
    assert [report["id"] for page in (first.json(), *later) for report in page] == expected


async def test_a_limit_that_fits_exactly_has_no_next_page(stage: Stage) -> None:
    await add_ordered_reports(stage)
    assert [len(page) for page in await fetch_pages(stage, limit=1)] == [1, 1]
    assert [len(page) for page in await fetch_pages(stage, limit=2)] == [2]
    assert [len(page) for page in await fetch_pages(stage, limit=2, chat_id="u2i-nobody")] == [0]
