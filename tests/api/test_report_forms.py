"""``GET /reports`` in the form that was asked for, whole or in pages; and never a part that looks
like the whole.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import httpx
import pytest

from app.cli.rest_server import listen, rest
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
        assert answer.headers["vary"] == "Accept, X-API-Key"
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
            rows = (
                read_csv(answer)
                if form == "csv"
                else [{"id": row[-1]} for row in read_xlsx(answer.content)[1:]]
            )
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
            httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", headers={"X-API-Key": KEY}
            ) as client,
        ):
            yield client


async def test_a_list_that_fails_half_way_is_cut_off(stage: Stage) -> None:
    """The first reports have left with a 200, and the answer must not end as if it were whole."""
    await break_second_chunk(stage)
    async with served(stage) as client:
        for form in ("json", "csv"):
            received = b""
            with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
                async with client.stream(
                    "GET", "/api/v1/reports", params={**ALL, "format": form}
                ) as answer:
                    assert answer.status_code == 200
                    async for part in answer.aiter_bytes():
                        received += part
            assert received.count(b"u2i-") >= CHUNK
            assert not received.endswith(b"]")


@pytest.mark.parametrize("form", ["json", "csv"])
@pytest.mark.parametrize(
    ("version", "connection"),
    [("1.0", None), ("1.0", "keep-alive"), ("1.1", "close"), ("1.1", "keep-alive")],
)
async def test_no_client_takes_a_part_for_the_whole(
    stage: Stage, form: str, version: str, connection: str | None
) -> None:
    """HTTP/1.0 has no chunks: its answers end with the connection, so that a clean end means that
    nothing is missing.
    """
    await break_second_chunk(stage)
    async with served(stage) as client:
        reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        header = f"Connection: {connection}\r\n" if connection else ""
        path = f"/api/v1/reports?start_date=2020-01-01&end_date=2099-12-31&format={form}"
        writer.write(
            f"GET {path} HTTP/{version}\r\nHost: a\r\nX-API-Key: {KEY}\r\n{header}\r\n".encode()
        )
        received, is_reset = await read_to_end(reader)
        writer.close()
    assert received.startswith(b"HTTP/1.1 200")
    if version == "1.0":
        assert is_reset
    else:
        assert b"transfer-encoding: chunked" in received.lower()
        assert not received.endswith(b"\r\n0\r\n\r\n")


async def test_a_whole_list_ends_well_for_http_1_0(stage: Stage) -> None:
    await reports(stage)
    await stage.copy_first_report(2 * CHUNK)
    async with served(stage) as client:
        reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        path = "/api/v1/reports?start_date=2020-01-01&end_date=2099-12-31"
        writer.write(f"GET {path} HTTP/1.0\r\nX-API-Key: {KEY}\r\n\r\n".encode())
        received, is_reset = await read_to_end(reader)
        writer.close()
    assert not is_reset
    assert len(json.loads(received.partition(b"\r\n\r\n")[2])) == 2 * CHUNK + 2


async def break_second_chunk(stage: Stage) -> None:
    """Report 1600 of 1,002 cannot be read."""
    await reports(stage)
    await stage.copy_first_report(CHUNK + 500)
    await stage.change(
        "UPDATE reports SET body = CAST('{}' AS json) WHERE id = 1000 + :place", place=CHUNK + 100
    )


async def read_to_end(reader: asyncio.StreamReader) -> tuple[bytes, bool]:
    """What came before the end, and whether the end was a reset."""
    received = b""
    try:
        while part := await reader.read(65_536):
            received += part
    except ConnectionResetError:
        return received, True
    return received, False
