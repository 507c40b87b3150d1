"""``GET /reports`` in the form that was asked for, whole or in pages; and never a part that looks like the whole."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import httpx
import pytest

from app.cli.rest_server import listen, rest
from app.models import Report
from app.services.reports.reading import CHUNK
from tests.api.test_report_exports import ALL, XLSX, asked, read_csv, read_xlsx, reports
from tests.stage import KEY, Stage

CSV = "text/csv; charset=utf-8"


async def test_the_form_is_what_was_asked_for(stage: Stage) -> None:
    """By name, else by the Accept header; what nobody knows is JSON."""
    cases = [
        (None, None, "application/json"),
        ("*/*", None, "application/json"),
        ("text/csv", None, CSV),
        (XLSX, None, XLSX),
        ("text/html, application/xhtml+xml, */*;q=0.8", None, "application/json"),
        ("application/json;q=0.4, TEXT/CSV;q=0.5", None, CSV),
        ("text/*", None, CSV),
        ("application/*", None, "application/json"),
        ("*/*, application/json;q=0.1", None, CSV),
        ("image/png", None, "application/json"),
        ("text/csv;q=0", None, "application/json"),
        ("text/csv;q=many,;;", None, "application/json"),
        ("text/csv", "json", "application/json"),
        ("application/json", "csv", CSV),
        ("text/csv", "xlsx", XLSX),
    ]
    for accept, form, content_type in cases:
        answer = await asked(stage, accept, **({"format": form} if form else {}))
        assert answer.headers["content-type"] == content_type, (accept, form)
        assert answer.headers["vary"] == "Accept"
        ending = {CSV: "csv", XLSX: "xlsx"}.get(content_type)
        named = f'attachment; filename="reports_2020-01-01_2099-12-31.{ending}"' if ending else None
        assert answer.headers.get("content-disposition") == named


async def test_pages_of_every_form_hold_each_report_once(stage: Stage) -> None:
    await reports(stage)
    await stage.copy_first_report(CHUNK + 10)
    expected = [report["id"] for report in await stage.reports()]
    for form in ("csv", "xlsx"):
        answer = await asked(stage, format=form, limit=CHUNK + 1)
        found = []
        while True:
            rows = read_csv(answer) if form == "csv" else [{"id": row[-1]} for row in read_xlsx(answer.content)[1:]]
            found += [row["id"] for row in rows]
            if "next" not in answer.links:
                break
            answer = await stage.rest.get(answer.links["next"]["url"])
        assert found == expected


@asynccontextmanager
async def served(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    """The service behind a real server on a real socket."""
    worker = asyncio.create_task(asyncio.sleep(3600))
    with closing(listen("127.0.0.1", 0, "")) as listener:
        async with (
            rest(stage.service, listener, worker),
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", headers={"X-API-Key": KEY}) as client,
        ):
            yield client


async def test_a_list_that_fails_half_way_is_cut_off(stage: Stage) -> None:
    """Report 1600 cannot be read: the first reports have left with a 200, and the answer must not end as if it were whole."""
    await reports(stage)
    await stage.copy_first_report(CHUNK + 500)
    columns = ", ".join(column.name for column in Report.__table__.columns if column.name != "body")
    broken = f"CREATE VIEW reports AS SELECT {columns}, CASE WHEN 1 / (id - 1600) >= 0 THEN body ELSE body END AS body FROM kept"  # noqa: S608 - our own columns
    await stage.change("ALTER TABLE reports RENAME TO kept")
    await stage.change(broken)
    try:
        async with served(stage) as client:
            for form in ("json", "csv"):
                received = b""
                with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
                    async with client.stream("GET", "/api/v1/reports", params={**ALL, "format": form}) as answer:
                        assert answer.status_code == 200
                        async for part in answer.aiter_bytes():
                            received += part
                assert received.count(b"u2i-") >= CHUNK
                assert not received.endswith(b"]")
    finally:
        await stage.change("DROP VIEW reports")
        await stage.change("ALTER TABLE kept RENAME TO reports")
