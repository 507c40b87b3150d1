"""The common error body, for every kind of request error."""

import re

import pytest

from tests.support.stage import GOOD_TALK, Stage

POSTS = ("/avito/sync", "/llm/analyze", "/timer/reports")
DAYS = {"start_date": "2026-11-01", "end_date": "2026-11-30"}


async def test_a_post_without_body_and_type_is_served(stage: Stage) -> None:
    """A plain ``curl -X POST``."""
    for path in POSTS:
        answer = await stage.rest.post(f"/api/v1{path}")
        assert answer.status_code == 200, answer.text


async def test_invalid_bodies_are_400s_that_name_the_fault(stage: Stage) -> None:
    cases = [
        ({"content-type": "text/plain"}, b"{}", "Content-Type"),
        ({"content-type": "application/x-www-form-urlencoded"}, b"full=1", "Content-Type"),
        ({}, b"{}", "Content-Type"),
        ({"content-type": "application/json"}, b"{not json", "body"),
        ({"content-type": "application/json"}, b"\xff\xfe", "body"),
        ({"content-type": "application/json"}, b"[" * 100_000, "body"),
        ({"content-type": "application/json"}, b"[1]", "body"),
        ({"content-type": "application/json"}, b"null", "body"),
        ({"content-type": "application/json"}, b'{"unknown": 1}', "unknown"),
        ({"content-type": "application/json"}, b'{"chat_ids": ["a\\u0000b"]}', "body"),
        ({"content-type": "application/json"}, b'{"chat_ids": ["a\\ud800b"]}', "body"),
    ]
    for path in POSTS:
        for headers, content, field in cases:
            answer = await stage.rest.post(f"/api/v1{path}", headers=headers, content=content)
            assert answer.status_code == 400, (path, content[:20], answer.text)
            body = answer.json()
            assert body["status"] == "error"
            assert [error["field"] for error in body["errors"]] == [field]
            assert field in body["message"]
            assert ("send_reports" in body) is (path == "/timer/reports")
    assert await stage.rows("SELECT * FROM runs") == []


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/avito/sync", {"full": "yes"}, "full"),
        ("/avito/sync", {"full": None}, "full"),
        ("/llm/analyze", {"limit": 0}, "limit"),
        ("/llm/analyze", {"limit": "5"}, "limit"),
        ("/llm/analyze", {"limit": 1.5}, "limit"),
        ("/llm/analyze", {"limit": True}, "limit"),
        ("/llm/analyze", {"chat_ids": "u2i-1"}, "chat_ids"),
        ("/llm/analyze", {"chat_ids": [1]}, "chat_ids.0"),
        ("/timer/reports", {"date": "2026-13-01"}, "date"),
        ("/timer/reports", {"date": "20261101"}, "date"),
        ("/timer/reports", {"date": 20261101}, "date"),
        ("/timer/reports", {"date": "2099-01-01"}, "date"),
        ("/timer/reports", {"date": "0001-01-01"}, "date"),
        ("/timer/reports", {"resend": 1}, "resend"),
    ],
)
async def test_invalid_values_are_400s(
    stage: Stage, path: str, body: dict[str, object], field: str
) -> None:
    answer = await stage.post(path, body, status=400)
    assert [error["field"] for error in answer["errors"]] == [field]


async def test_invalid_parameters_of_reports_are_400s(stage: Stage) -> None:
    cases: list[tuple[dict[str, str | list[str]], list[str]]] = [
        ({}, ["start_date", "end_date"]),
        ({"start_date": "2026-11-01"}, ["end_date"]),
        ({"start_date": "0", "end_date": "2026-11-30"}, ["start_date"]),
        ({"start_date": "2026-11-1", "end_date": "2026-11-30"}, ["start_date"]),
        ({"start_date": "2026-02-30", "end_date": "2026-11-30"}, ["start_date"]),
        ({"start_date": "2026-11-02", "end_date": "2026-11-01"}, ["start_date"]),
        ({"start_date": "2026-11-01T00:00:00", "end_date": "2026-11-30"}, ["start_date"]),
        ({**DAYS, "limit": "0"}, ["limit"]),
        ({**DAYS, "limit": "many"}, ["limit"]),
        ({**DAYS, "cursor": "мимо"}, ["cursor"]),
        ({**DAYS, "cursor": "WzEsMiwzXQ"}, ["cursor"]),
        ({**DAYS, "tonality_grade": "high"}, ["tonality_grade"]),
        ({**DAYS, "tonality_grade": "Нет возражений"}, ["tonality_grade"]),
        ({**DAYS, "chat_id": "a\0b"}, ["chat_id"]),
        ({**DAYS, "chat_id": "", "account": " "}, ["chat_id", "account"]),
        (
            {**DAYS, "limit": "", "cursor": "", "tonality_grade": ["Низкая", ""]},
            ["limit", "cursor", "tonality_grade"],
        ),
        ({"start_date": "", "end_date": "2026-11-30"}, ["start_date"]),
        ({**DAYS, "start": "2026-11-01"}, ["start"]),
        ({**DAYS, "page": "2", "size": "10"}, ["page", "size"]),
        ({**DAYS, "format": "xls"}, ["format"]),
        ({**DAYS, "start_date": ["2026-11-01", "2026-11-02"]}, ["start_date"]),
        ({**DAYS, "chat_id": ["a", "a"], "limit": ["1", "2"]}, ["chat_id", "limit"]),
    ]
    for params, fields in cases:
        answer = await stage.rest.get("/api/v1/reports", params=params)
        assert answer.status_code == 400, (params, answer.text)
        body = answer.json()
        assert body["status"] == "error"
        assert [error["field"] for error in body["errors"]] == fields
        assert all(field in body["message"] for field in fields)


async def test_empty_and_duplicated_parameters_are_rejected_everywhere(stage: Stage) -> None:
    paths = (await stage.rest.get("/openapi.json")).json()["paths"]
    tried = 0
    for path, operations in paths.items():
        for parameter in operations.get("get", {}).get("parameters", []):
            if parameter["in"] != "query":
                continue
            name, address = parameter["name"], re.sub(r"\{\w+\}", "1", path)
            answers = [await stage.rest.get(address, params={name: ""})]
            if "array" not in str(parameter["schema"]):
                answers.append(await stage.rest.get(address, params={name: ["1", "2"]}))
            for answer in answers:
                assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, name), (
                    path,
                    answer.text,
                )
                tried += 1
    assert tried > 30


async def test_first_and_last_date_of_the_calendar_are_valid(stage: Stage) -> None:
    """A date of the calendar is a valid parameter, however distant."""
    answer = await stage.rest.get(
        "/api/v1/reports", params={"start_date": "0001-01-01", "end_date": "9999-12-31"}
    )
    assert (answer.status_code, answer.json()) == (200, [])


async def test_unknown_query_of_a_post_is_a_400(stage: Stage) -> None:
    answer = await stage.rest.post("/api/v1/avito/sync", params={"full": "true"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "full"


async def test_http_errors_have_the_error_body(stage: Stage) -> None:
    cases = [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/nothing", 404),
        ("GET", "/api/v1/reports/", 404),
        ("GET", "/api/v1/avito/sync", 405),
        ("DELETE", "/api/v1/reports", 405),
        ("GET", "/api/v1/runs/999999", 404),
        ("GET", "/api/v1/runs/zero", 400),
        ("GET", "/api/v1/runs/0", 400),
    ]
    for method, path, status in cases:
        answer = await stage.rest.request(method, path)
        assert answer.status_code == status, (method, path, answer.text)
        assert answer.json()["status"] == "error"
        assert answer.json()["message"]
        if status == 405:
            assert answer.headers["allow"]
    answer = await stage.rest.post(
        "/api/v1/llm/analyze",
        headers={"content-type": "application/json"},
        content=b" " * 1_000_001,
    )
    assert answer.status_code == 413
    assert answer.json()["status"] == "error"


async def test_database_error_is_a_500_without_internal_details(stage: Stage) -> None:
    """A table is missing: the message is ours, not that of Postgres."""
    await stage.change("ALTER TABLE reports RENAME TO gone")
    try:
        answer = await stage.rest.get("/api/v1/reports", params=DAYS)
    finally:
        await stage.change("ALTER TABLE gone RENAME TO reports")
    assert answer.status_code == 500
    assert set(answer.json()) == {"status", "message"}
    assert "relation" not in answer.text


@pytest.mark.parametrize(
    "prefer", ["respond-async", "wait=5, respond-async", "Respond-Async; foo=1"]
)
async def test_respond_async_returns_the_location_of_the_run(stage: Stage, prefer: str) -> None:
    stage.add_talk(*GOOD_TALK)
    answer = await stage.rest.post("/api/v1/avito/sync", headers={"Prefer": prefer})
    assert answer.status_code == 202
    location = answer.headers["location"]
    assert location.startswith("/api/v1/runs/")
    run = (await stage.rest.get(location)).json()
    while run["state"] in ("queued", "running"):
        run = (await stage.rest.get(location)).json()
    assert (run["state"], run["kind"], run["done"], run["total"]) == ("done", "sync", 1, 1)
    assert run["figures"]["new_messages"] == 4
    listed = (await stage.rest.get("/api/v1/runs", params={"limit": 1})).json()
    assert [entry["id"] for entry in listed] == [run["id"]]
