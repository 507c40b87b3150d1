"""Forged or altered cursors: a 400 that names the parameter, whatever they contain."""

import base64
import json
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.stage import GOOD_TALK, Stage

DAYS = {"start_date": "2020-01-01", "end_date": "2099-12-31"}
MOMENT = '"2026-11-22T17:03:11+00:00"'


def encode(plain: str | bytes) -> str:
    return (
        base64.urlsafe_b64encode(plain.encode() if isinstance(plain, str) else plain)
        .decode()
        .rstrip("=")
    )


TAMPERED = {
    "infinity": f"[{MOMENT}, Infinity, 1]",
    "minus infinity": f"[{MOMENT}, 1, -Infinity]",
    "not a number": f"[{MOMENT}, NaN, 1]",
    "beyond 64 bits": f"[{MOMENT}, {2**63}, 1]",
    "of 4,000 digits": f"[{MOMENT}, {'9' * 4000}, 1]",
    "of 5,000 digits": f"[{MOMENT}, {'9' * 5000}, 1]",
    "negative": f"[{MOMENT}, -1, 1]",
    "half a number": f"[{MOMENT}, 1.5, 1]",
    "an exponent": f"[{MOMENT}, 1e999, 1]",
    "true": f"[{MOMENT}, true, 1]",
    "text for a number": f'[{MOMENT}, "1", 1]',
    "deep list": "[" * 20_000 + "]" * 20_000,
    "year 1": '["0001-01-01T00:00:00+14:00", 1, 1]',
    "year 9999": '["9999-12-31T23:59:59-14:00", 1, 1]',
    "without offset": '["2026-11-22T17:03:11", 1, 1]',
    "offset of seconds": '["2026-11-22T17:03:11+00:00:01.5", 1, 1]',
    "no moment": '["yesterday", 1, 1]',
    "moment is a number": "[1, 1, 1]",
    "empty list": "[]",
    "too few": f"[{MOMENT}, 1]",
    "too many": f"[{MOMENT}, 1, 1, 1]",
    "object": '{"0": 1}',
    "text": '"2026"',
    "null": "null",
    "NUL": "\x00",
    "half a character": f'[{MOMENT}, 1, 1, "\\ud800"]',
    "blanks more than ours": f"[ {MOMENT}, 1, 1]",
}


@pytest.fixture
async def own_cursor(stage: Stage) -> str:
    for title in ("Диван", "Шкаф"):
        stage.add_talk(*GOOD_TALK, title=title)
    await stage.sync()
    await stage.analyze()
    first = await stage.rest.get("/api/v1/reports", params={**DAYS, "limit": "1"})
    return parse_qs(urlsplit(first.links["next"]["url"]).query)["cursor"][0]


async def test_forged_cursor_is_a_400(stage: Stage, own_cursor: str) -> None:
    padded = own_cursor + "=" * (-len(own_cursor) % 4)
    others = {
        "binary": encode(b"\xff\xfe\x00"),
        "letters of no base64": "мимо",
        "blanks inside": own_cursor[:8] + " " + own_cursor[8:],
        "letters that base64 leaves out": own_cursor[:8] + "!*" + own_cursor[8:],
        "padded": padded + "=",
        "cut": own_cursor[:-3],
        "twice": own_cursor * 2,
    }
    for what, cursor in {
        **{name: encode(plain) for name, plain in TAMPERED.items()},
        **others,
    }.items():
        answer = await stage.rest.get("/api/v1/reports", params={**DAYS, "cursor": cursor})
        assert (
            answer.status_code,
            [error["field"] for error in answer.json().get("errors", [])],
        ) == (400, ["cursor"]), what


async def test_valid_cursor_is_served_with_extreme_values(stage: Stage, own_cursor: str) -> None:
    """The extreme values that a cursor may hold reach Postgres."""
    moment = json.loads(base64.urlsafe_b64decode(own_cursor + "=" * (-len(own_cursor) % 4)))[0]
    assert (
        len((await stage.rest.get("/api/v1/reports", params={**DAYS, "cursor": own_cursor})).json())
        == 1
    )
    for written in (moment, "0002-01-01T00:00:00+00:00", "9998-12-31T23:59:59+00:00"):
        for number in (0, 2**63 - 1):
            cursor = encode(json.dumps([written, number, number]))
            answer = await stage.rest.get("/api/v1/reports", params={**DAYS, "cursor": cursor})
            assert answer.status_code == 200, (written, number, answer.text)
