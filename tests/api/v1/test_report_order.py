"""``GET /reports`` sorted by score: the order, its pages, and the score in the answer."""

import base64
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.services.reports.reading import CHUNK
from tests.support.reports import (
    ALL,
    FIELDS,
    add_ordered_reports,
    fetch_reports,
    read_csv,
    read_xlsx,
)
from tests.support.stage import Stage

SCORES = (100, 0, 50, 50, 75, 50, 0, 91.67)


async def add_scored_reports(stage: Stage, scores: Sequence[float] = SCORES) -> None:
    """Add copies of a report with these scores, the first one newest."""
    await add_ordered_reports(stage)
    await stage.change("DELETE FROM packed_exchanges")
    await stage.change("DELETE FROM reports WHERE id = 2")
    await stage.copy_first_report(len(scores))
    for place, score in enumerate(scores):
        await stage.change(
            "UPDATE reports SET score = :score WHERE id = :id", score=score, id=1001 + place
        )
    await stage.change("UPDATE reports SET digest_id = NULL, kind = 'regrade' WHERE id = 1")


async def list_expected(stage: Stage, order: str) -> list[int]:
    rows = await stage.rows(f"SELECT id FROM reports WHERE kind = 'grading' ORDER BY {order}")  # noqa: S608
    return [row["id"] for row in rows]


ORDERS = {
    "score": "score, created_at DESC, id DESC",
    "-score": "score DESC, created_at DESC, id DESC",
}


@pytest.mark.parametrize("sort", ORDERS)
async def test_list_is_sorted_in_every_format(stage: Stage, sort: str) -> None:
    await add_scored_reports(stage)
    expected = await list_expected(stage, ORDERS[sort])
    assert [report["id"] for report in await stage.reports(sort=sort)] == expected
    table = read_csv(await fetch_reports(stage, sort=sort, format="csv"))
    assert [report["id"] for report in table] == expected
    sheet = read_xlsx((await fetch_reports(stage, sort=sort, format="xlsx")).content)
    assert [int(row[-1]) for row in sheet[1:]] == expected


@pytest.mark.parametrize("sort", ORDERS)
async def test_long_list_is_sorted_over_its_chunks(stage: Stage, sort: str) -> None:
    await add_scored_reports(stage, [])
    await stage.copy_first_report(2 * CHUNK + 7)
    await stage.change("UPDATE reports SET kind = 'grading', score = id * 7 % 11 * 9")
    expected = await list_expected(stage, ORDERS[sort])
    assert len(expected) == 2 * CHUNK + 8
    assert [report["id"] for report in await stage.reports(sort=sort)] == expected


@pytest.mark.parametrize("sort", ORDERS)
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
async def test_pages_have_each_report_once_while_new_ones_are_added(
    stage: Stage, sort: str, limit: int
) -> None:
    await add_scored_reports(stage)
    expected = await list_expected(stage, ORDERS[sort])
    answer = await stage.rest.get("/api/v1/reports", params={**ALL, "sort": sort, "limit": limit})
    found = [report["id"] for report in answer.json()]
    pages = 1
    while "next" in answer.links:
        await add_report_of_each_score(stage, 5000 + 10 * pages)
        answer = await stage.rest.get(answer.links["next"]["url"])
        assert answer.status_code == 200, answer.text
        found += [report["id"] for report in answer.json()]
        pages += 1
    assert found == expected
    assert pages == -(-len(SCORES) // limit)


async def add_report_of_each_score(stage: Stage, number: int) -> None:
    """Add newer and older reports with scores that the list has already."""
    columns = await stage.rows(
        "SELECT string_agg(quote_ident(attname), ', ') AS names FROM pg_attribute"
        " WHERE attrelid = 'reports'::regclass AND attnum > 0 AND NOT attisdropped"
        " AND attname NOT IN ('id', 'created_at', 'score')"
    )
    names = columns[0]["names"]
    for place, (score, hours) in enumerate(((0, 1), (50, -1), (100, 1))):
        await stage.change(
            f"INSERT INTO reports (id, created_at, score, {names})"  # noqa: S608
            f" SELECT :id, created_at + CAST(:hours AS int) * interval '1 hour', :score, {names}"
            " FROM reports WHERE id = 1001",
            id=number + place,
            hours=hours,
            score=score,
        )


async def test_sort_combines_with_filters_and_mails(stage: Stage) -> None:
    await add_scored_reports(stage)
    day = (await stage.mail())["date"]
    await stage.change("UPDATE reports SET tonality_grade = 'Низкая' WHERE id IN (1003, 1005)")
    assert [report["id"] for report in await stage.reports(sort="score", mail=day)] == (
        await list_expected(stage, ORDERS["score"])
    )
    low = await stage.reports(sort="-score", mail=day, tonality_grade="Низкая")
    assert [report["id"] for report in low] == [1005, 1003]
    assert await stage.reports(sort="score", account="Чужой") == []


async def test_reviewed_scores_sort_reviewed_lists(stage: Stage) -> None:
    await add_scored_reports(stage, [100, 50, 0])
    grades = {
        name: "Низкая" for name in FIELDS if name.endswith("_grade") and "objection" not in name
    }
    review = await stage.rest.put("/api/v1/reports/1001/review", json={"grades": grades})
    assert review.json()["review"]["score"] == 0
    expected = {"machine": [1003, 1002, 1001], "reviewed": [1001, 1003, 1002]}
    for whose, numbers in expected.items():
        listed = await stage.reports(sort="score", grades=whose, with_score="true")
        assert [report["id"] for report in listed] == numbers
        assert [report["score"] for report in listed] == sorted(
            report["score"] for report in listed
        )
        answer = await stage.rest.get(
            "/api/v1/reports", params={**ALL, "sort": "score", "grades": whose, "limit": 1}
        )
        pages = [answer.json()]
        while "next" in answer.links:
            answer = await stage.rest.get(answer.links["next"]["url"])
            pages.append(answer.json())
        assert [report["id"] for page in pages for report in page] == numbers


async def test_score_is_added_on_request_only(stage: Stage) -> None:
    await add_scored_reports(stage)
    fields = [*FIELDS, "id"]
    for params in ({}, {"sort": "score"}, {"sort": "-score", "limit": 3}):
        plain = await stage.reports(**params)
        assert all(list(report) == fields for report in plain)
        scored = await stage.reports(**params, with_score="true")
        assert all(list(report) == [*fields, "score"] for report in scored)
        assert [{name: report[name] for name in fields} for report in scored] == plain
        details = [
            (await stage.rest.get(f"/api/v1/reports/{report['id']}")).json()["score"]
            for report in scored
        ]
        assert [report["score"] for report in scored] == details


@pytest.mark.parametrize(
    ("params", "field", "message"),
    [
        ({"sort": "date"}, "sort", "одно из: score, -score"),
        ({"sort": "+score"}, "sort", "одно из: score, -score"),
        ({"sort": ""}, "sort", "пусто"),
        ({"with_score": "true", "format": "csv"}, "with_score", "только в JSON"),
        ({"with_score": "maybe"}, "with_score", "нужно true или false"),
    ],
)
async def test_wrong_parameters_are_named(
    stage: Stage, params: dict[str, str], field: str, message: str
) -> None:
    answer = await stage.rest.get("/api/v1/reports", params={**ALL, **params})
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert message in error["message"]


def decode(cursor: str) -> list[Any]:
    return list(json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))))


def encode(written: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(written).encode()).decode().rstrip("=")


async def fetch_cursor(stage: Stage, **params: Any) -> str:
    answer = await stage.rest.get("/api/v1/reports", params={**ALL, "limit": 1, **params})
    return parse_qs(urlsplit(answer.links["next"]["url"]).query)["cursor"][0]


async def test_a_cursor_belongs_to_its_order(stage: Stage) -> None:
    await add_scored_reports(stage)
    cursors = {sort: await fetch_cursor(stage, sort=sort) for sort in ORDERS}
    plain = await fetch_cursor(stage)
    assert decode(plain)[3:] == []
    for given, sort in (
        (cursors["score"], "-score"),
        (cursors["-score"], "score"),
        (cursors["score"], None),
        (plain, "score"),
    ):
        params = {**ALL, "cursor": given, **({"sort": sort} if sort else {})}
        answer = await stage.rest.get("/api/v1/reports", params=params)
        assert answer.status_code == 400
        assert [error["field"] for error in answer.json()["errors"]] == ["cursor"]


@pytest.mark.parametrize(
    "score",
    ["NaN", "Infinity", "1e999", "-1.00", "50", "50.0", "50.000", "100.01x", "٥٠.00", 50.0, None],
)
async def test_a_forged_score_is_a_400(stage: Stage, score: object) -> None:
    await add_scored_reports(stage)
    written = decode(await fetch_cursor(stage, sort="score"))
    assert written[3:] == ["score", "0.00"]
    for forged in ([*written[:4], score], [*written, "more"], written[:4], [*written[:3], score]):
        answer = await stage.rest.get(
            "/api/v1/reports", params={**ALL, "sort": "score", "cursor": encode(forged)}
        )
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "cursor"), forged
