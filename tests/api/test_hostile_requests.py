"""Malicious requests: no 500, and a response of bounded length."""

import json

import pytest

from tests.support.stage import GOOD_TALK, Stage

JSON = {"content-type": "application/json"}
DAYS = "start_date=2026-11-01&end_date=2026-11-30"
LONG = 10_000
"""Upper limit, in characters, of a response to an invalid request."""


async def fetch_invalid_fields(
    stage: Stage, method: str, path: str, content: bytes | None = None
) -> list[str]:
    """Send an invalid request and return the fields that the 400 names."""
    answer = await stage.rest.request(
        method, f"/api/v1{path}", content=content, headers=JSON if content is not None else {}
    )
    assert answer.status_code == 400, (path[:80], (content or b"")[:80], answer.text[:200])
    assert len(answer.text) < LONG
    return [error["field"] for error in answer.json()["errors"]]


@pytest.mark.parametrize(
    "number",
    [
        "9223372036854775808",
        "18446744073709551616",
        "-1",
        "0",
        "9" * 5000,
        "NaN",
        "Infinity",
        "1%00",
        "true",
    ],
)
async def test_numbers_beyond_the_database_are_400s(stage: Stage, number: str) -> None:
    for path in (f"/reports/{number}", f"/runs/{number}"):
        assert len(await fetch_invalid_fields(stage, "GET", path)) == 1
    for path, field in (
        ("/runs", "before_id"),
        ("/runs", "limit"),
        ("/reports/daily", "limit"),
        ("/reports", "limit"),
    ):
        assert field in await fetch_invalid_fields(stage, "GET", f"{path}?{field}={number}")
    assert await fetch_invalid_fields(
        stage, "PUT", f"/reports/{number}/review", b'{"comment": "a"}'
    ) == ["report_id"]
    assert await fetch_invalid_fields(stage, "DELETE", f"/reports/{number}/review") == ["report_id"]


async def test_nul_and_invalid_utf8_in_any_filter_are_400s(stage: Stage) -> None:
    for value in ("%00", "a%00b", "%ED%A0%80", "%FF"):
        for path in ("/reports", "/reports/summary"):
            for field in ("account", "mail"):
                assert field in await fetch_invalid_fields(
                    stage, "GET", f"{path}?{DAYS}&{field}={value}"
                )
        for field in ("chat_id", "cursor", "tonality_grade", "format", "grades"):
            assert field in await fetch_invalid_fields(
                stage, "GET", f"/reports?{DAYS}&{field}={value}"
            )
        assert await fetch_invalid_fields(stage, "GET", f"/chats/u2i-1?account={value}") == [
            "account"
        ]
        assert await fetch_invalid_fields(stage, "GET", f"/chats/{value}") == ["chat_id"]


async def test_written_escape_of_nul_is_text(stage: Stage) -> None:
    answer = await stage.rest.get(f"/api/v1/reports?{DAYS}&chat_id=%5Cu0000")
    assert (answer.status_code, answer.json()) == (200, [])


async def test_first_and_last_date_of_the_calendar_are_no_500(stage: Stage) -> None:
    for day in ("0001-01-01", "9999-12-31"):
        paths = (
            f"/reports?mail={day}",
            f"/reports/summary?mail={day}",
            f"/reports/daily?before={day}",
        )
        for path in (
            *paths,
            f"/reports/summary?start_date={day}&end_date={day}",
            "/reports/summary?start_date=0001-01-01&end_date=9999-12-31",
        ):
            assert (await stage.rest.get(f"/api/v1{path}")).status_code == 200, path
        assert (await stage.rest.get(f"/api/v1/reports/daily/{day}")).status_code == 404
        for resend in (b"true", b"false"):
            assert await fetch_invalid_fields(
                stage,
                "POST",
                "/timer/reports",
                b'{"date": "%s", "resend": %s}' % (day.encode(), resend),
            ) == ["date"]


async def test_deep_nesting_is_rejected_at_every_depth(stage: Stage) -> None:
    """Parsing and serializing JSON reach Python's recursion limit at different depths."""
    for depth in (*range(880, 1010, 3), 20_000, 120_000):
        assert (
            len(
                await fetch_invalid_fields(
                    stage,
                    "POST",
                    "/llm/analyze",
                    b'{"chat_ids": ' + b"[" * depth + b"]" * depth + b"}",
                )
            )
            == 1
        )
        assert (
            len(
                await fetch_invalid_fields(
                    stage, "POST", "/llm/analyze", b'{"a":' * depth + b"1" + b"}" * depth
                )
            )
            == 1
        )


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b'{"limit": NaN}', "limit"),
        (b'{"limit": Infinity}', "limit"),
        (b'{"limit": 1e999}', "limit"),
        (b'{"limit": 9223372036854775808}', "limit"),
        (b'{"limit": ' + b"9" * 4000 + b"}", "limit"),
        (b'{"limit": ' + b"9" * 5000 + b"}", "body"),
        (b'{"limit": 1, "limit": 2}', "limit"),
        (b'{"force": true, "force": true}', "force"),
        (b'{"a": {"b": 1, "b": 2}}', "b"),
        (b'{"\\ud800": 1}', "body"),
        (b'{"\xed\xa0\x80": 1}', "body"),
        (b'{"\\u0000": 1}', "body"),
        (b'"\\ud800"', "body"),
        (b"{} {}", "body"),
        (b"\xef\xbb\xbf", "body"),
        (b"\x00", "body"),
        (b'{"__class__": 1}', "__class__"),
        (b'{"chat_ids": ["' + b"a" * 900_000 + b'"]}', "chat_ids"),
        (json.dumps({"chat_ids": [str(number) for number in range(80_000)]}).encode(), "chat_ids"),
    ],
    ids=lambda value: repr(value[:24]) if isinstance(value, bytes) else value,
)
async def test_malformed_json_bodies_are_400s(stage: Stage, content: bytes, field: str) -> None:
    assert await fetch_invalid_fields(stage, "POST", "/llm/analyze", content) == [field]
    assert await stage.rows("SELECT * FROM runs") == []


async def test_many_unknown_keys_get_a_short_response(stage: Stage) -> None:
    content = json.dumps({f"key{number}": number for number in range(50_000)}).encode()
    assert "key0" in await fetch_invalid_fields(stage, "POST", "/avito/sync", content)
    assert "a" * 50 in str(
        await fetch_invalid_fields(stage, "POST", "/avito/sync", b'{"%s": 1}' % (b"a" * 900_000))
    )


async def test_many_or_long_unknown_parameters_get_a_short_response(stage: Stage) -> None:
    assert "a0" in await fetch_invalid_fields(
        stage, "GET", "/runs?" + "&".join(f"a{number}=1" for number in range(5000))
    )
    await fetch_invalid_fields(stage, "GET", f"/runs?{'a' * 30_000}=1")


async def test_byte_order_mark_before_json_is_ignored(stage: Stage) -> None:
    """Editors on Windows write it."""
    answer = await stage.rest.post(
        "/api/v1/avito/sync", content=b'\xef\xbb\xbf{"full": true}', headers=JSON
    )
    assert answer.status_code == 200


async def test_duplicated_key_changes_no_review(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.analyze()
    twice = '{"grades": {"tonality_grade": "Низкая", "tonality_grade": "Высокая"}}'.encode()
    assert await fetch_invalid_fields(stage, "PUT", "/reports/1/review", twice) == [
        "tonality_grade"
    ]
    assert await stage.rows("SELECT * FROM reviews") == []
