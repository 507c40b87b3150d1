"""Every GET, reviews and blind labels, and the commands that read or regrade."""

from datetime import date
from pathlib import Path
from typing import Any

import httpx

from app.domain.criteria import GRADE_COLUMNS
from tests.support.command_line import run_app

PERIOD = "start_date=2020-01-01&end_date=2099-12-31"
_QUERIES = {
    "/api/v1/reports": (
        PERIOD,
        *(f"{PERIOD}&format={name}" for name in ("csv", "xlsx")),
        *(f"{PERIOD}&limit=3&sort={order}" for order in ("score", "-score")),
        f"{PERIOD}&limit=3&grades=reviewed&with_score=true",
        f"{PERIOD}&q=диван&tonality_grade=Низкая&tonality_grade=Высокая",
        f"{PERIOD}&chat_id={{chat_id}}",
        "mail={date}",
    ),
    "/api/v1/reports/summary": (
        PERIOD,
        f"{PERIOD}&grades=reviewed",
        "mail={date}",
    ),
}
"""Queries of the paths that have parameters; all other paths are read without."""
_LABEL = {"grades": dict.fromkeys(GRADE_COLUMNS, "Высокая"), "reviewer": "Мария"}


async def review_and_read(rest: httpx.AsyncClient) -> int:
    """Review and label reports of today, then read every path of OpenAPI; return their number."""
    (report, *_) = await _fetch(rest, f"/api/v1/reports?{PERIOD}")
    number = report["id"]
    review = f"/api/v1/reports/{number}/review"
    correction = {"grades": {"closure_grade": "Низкая"}, "comment": "Не прощались."}
    await _send(rest, "PUT", review, correction)
    await _send(rest, "DELETE", review)
    await _send(rest, "PUT", review, correction)
    for chat in (await _fetch(rest, "/api/v1/labels"))["chats"]:
        await _send(rest, "PUT", f"/api/v1/labels/{chat['report_id']}", _LABEL)
    values = {
        "report_id": number,
        "chat_id": report["chat_id"],
        "date": date.fromisoformat(report["created_at"][:10]),
        "run_id": 1,
    }
    document = await _fetch(rest, "/openapi.json")
    paths = [path for path, methods in document["paths"].items() if "get" in methods]
    for path in paths:
        for query in _QUERIES.get(path, ("",)):
            answer = await rest.get(f"{path}?{query}".format(**values))
            assert (answer.status_code, len(answer.content) > 0) == (200, True), answer.url
            await _read_next_page(rest, answer)
    return len(paths)


async def _read_next_page(rest: httpx.AsyncClient, answer: httpx.Response) -> None:
    if "next" in answer.links:
        following = await rest.get(httpx.URL(answer.links["next"]["url"]).raw_path.decode())
        assert following.status_code == 200, following.text


async def run_commands(folder: Path, **environment: str) -> None:
    """Run the commands that read or regrade the reports of today."""
    for command in (
        ("analyze", "--estimate"),
        ("regrade", "--since=2020-01-01", "--limit=5", "--estimate"),
        ("regrade", "--since=2020-01-01", "--limit=5"),
        ("audit", "1"),
        ("agreement", "export", "labels.xlsx"),
        ("sync",),
        ("analyze", "--force"),
        ("report", "--resend"),
    ):
        ended = await run_app(folder, *command, **environment)
        assert ended.code == 0, (command, ended.out, ended.err)


async def _fetch(rest: httpx.AsyncClient, path: str) -> Any:
    return await _send(rest, "GET", path)


async def _send(rest: httpx.AsyncClient, method: str, path: str, body: object = None) -> Any:
    answer = await rest.request(method, path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()
