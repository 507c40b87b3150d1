"""``GET /reports?q=``: text in the title, the client's name or the summary."""

import json
from typing import Any

import httpx
import pytest

from app.services.reports.reading import CHUNK
from tests.support.reports import ALL, add_ordered_reports, fetch_reports, read_csv, read_xlsx
from tests.support.stage import Stage

TITLE, NAME = 'Ёлка "Метель_100%" \\ Ель', "Алёна Ким"
SUMMARY = "Клиент спросил о доставке.\nКомпания ответила за 7 минут."


async def add_texts(stage: Stage) -> None:
    """Give report 1 these texts; report 2 keeps its own."""
    await add_ordered_reports(stage)
    (row,) = await stage.rows("SELECT body FROM reports WHERE id = 1")
    body = row["body"] | {
        "chat_title": TITLE,
        "client_name": NAME,
        "summary": SUMMARY,
        "recommendations": "Предложите тайник.",
    }
    await stage.change(
        "UPDATE reports SET body = CAST(:body AS json) WHERE id = 1",
        body=json.dumps(body, ensure_ascii=False, separators=(",", ":")),
    )


async def search(stage: Stage, q: str, **params: Any) -> list[int]:
    return [report["id"] for report in await stage.reports(q=q, **params)]


@pytest.mark.parametrize(
    "q",
    [
        "Ёлка",
        "ёлка",
        "ЕЛКА",
        "елка",
        "ель",
        'метель_100%"',
        "_100%",
        "\\",
        '"',
        "алена ким",
        "АЛЁНА",
        "о доставке.",
        "7 минут",
        "доставке.\nкомпания",
    ],
)
async def test_text_is_found_whatever_its_case(stage: Stage, q: str) -> None:
    await add_texts(stage)
    assert await search(stage, q) == [1]


@pytest.mark.parametrize(
    "q",
    [
        "%",
        "тайник",
        "метель%100",
        "метель 100%",
        "_елка",
        "ель алена",
        "u2i-",
        "chat_title",
        "\\n",
        "'; DROP TABLE reports; --",
        "ж" * 200,
    ],
)
async def test_other_text_is_not_found(stage: Stage, q: str) -> None:
    """Wildcards match themselves only; advice, ids and field names are not searched."""
    await add_texts(stage)
    await stage.change("DELETE FROM packed_exchanges")
    await stage.change("DELETE FROM reports WHERE id = 2")
    expected = [1] if q == "%" else []  # the title has a percent sign
    assert await search(stage, q) == expected


async def test_search_combines_with_formats_filters_and_order(stage: Stage) -> None:
    await add_texts(stage)
    await stage.copy_first_report(3)
    await stage.change("UPDATE reports SET score = id % 1000 WHERE id > 1000")
    day = (await stage.mail())["date"]
    expected = [1001, 1002, 1003, 1]
    assert await search(stage, "елка", sort="score") == expected
    assert await search(stage, "елка", sort="-score", mail=day, grades="reviewed") == expected[::-1]
    table = read_csv(await fetch_reports(stage, q="елка", sort="score", format="csv"))
    assert [report["id"] for report in table] == expected
    sheet = read_xlsx((await fetch_reports(stage, q="елка", sort="score", format="xlsx")).content)
    assert [int(row[-1]) for row in sheet[1:]] == expected
    assert await search(stage, "елка", account="Чужой") == []


async def test_pages_keep_the_search(stage: Stage) -> None:
    await add_texts(stage)
    await stage.copy_first_report(CHUNK + 1)
    assert len(await search(stage, "ёлка")) == CHUNK + 2
    answer = await stage.rest.get("/api/v1/reports", params={**ALL, "q": "ёлка", "limit": CHUNK})
    pages: list[httpx.Response] = [answer]
    while "next" in answer.links:
        answer = await stage.rest.get(answer.links["next"]["url"])
        pages.append(answer)
    assert [len(page.json()) for page in pages] == [CHUNK, 2]


@pytest.mark.parametrize(
    ("q", "message"),
    [("ж" * 201, "не длиннее 200 знаков"), ("", "пусто"), ("  ", "пусто"), ("\x00", "знак")],
)
async def test_wrong_texts_are_named(stage: Stage, q: str, message: str) -> None:
    answer = await stage.rest.get("/api/v1/reports", params={**ALL, "q": q})
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["field"] == "q"
    assert message in error["message"]
