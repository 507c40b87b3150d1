"""``GET /reports`` in each format, whole or in pages; a truncated list is recognizable."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import httpx
import pytest

from app.cli.listening import listen
from app.cli.rest_server import serve_rest
from app.services.reports.reading import CHUNK
from tests.support.patience import PATIENCE
from tests.support.reports import ALL, XLSX, add_two_reports, fetch_reports, read_csv, read_xlsx
from tests.support.stage import KEY, Stage

CSV = "text/csv; charset=utf-8"


async def test_format_is_the_requested_one(stage: Stage) -> None:
    """The parameter takes precedence over the Accept header; an unknown type means JSON."""
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
        answer = await fetch_reports(stage, accept, **({"format": form} if form else {}))
        assert answer.headers["content-type"] == content_type, (accept, form)
        varying = set(answer.headers["vary"].split(", ")) - {"Accept-Encoding"}  # of long ones
        assert varying == {"Accept", "X-API-Key"}
        ending = {CSV: "csv", XLSX: "xlsx"}.get(content_type)
        named = f'attachment; filename="reports_2020-01-01_2099-12-31.{ending}"' if ending else None
        assert answer.headers.get("content-disposition") == named


async def test_pages_of_every_format_have_each_report_once(stage: Stage) -> None:
    await add_two_reports(stage)
    await stage.copy_first_report(CHUNK + 10)
    expected = [report["id"] for report in await stage.reports()]
    for form in ("csv", "xlsx"):
        answer = await fetch_reports(stage, format=form, limit=CHUNK + 1)
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
async def serve_on_socket(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    """The service behind a real server on a real socket."""
    worker = asyncio.create_task(asyncio.sleep(3600))
    with closing(listen("127.0.0.1", 0, "")) as listener:
        async with (
            serve_rest(stage.service, listener, worker),
            httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{listener.getsockname()[1]}",
                headers={"X-API-Key": KEY},
                timeout=PATIENCE,
            ) as client,
        ):
            yield client


async def test_list_that_fails_half_way_is_aborted(stage: Stage) -> None:
    """The first reports were sent with a 200. The response must not end like a complete one."""
    await break_later_chunk(stage)
    async with serve_on_socket(stage) as client:
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
async def test_partial_list_is_recognizable_for_every_client(
    stage: Stage, form: str, version: str, connection: str | None
) -> None:
    """HTTP/1.0 has no chunks: a response ends with its connection, so an abort needs a reset."""
    await break_later_chunk(stage)
    async with serve_on_socket(stage) as client:
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


async def test_complete_list_ends_without_reset_for_http_1_0(stage: Stage) -> None:
    await add_two_reports(stage)
    await stage.copy_first_report(2 * CHUNK)
    async with serve_on_socket(stage) as client:
        reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        path = "/api/v1/reports?start_date=2020-01-01&end_date=2099-12-31"
        writer.write(f"GET {path} HTTP/1.0\r\nX-API-Key: {KEY}\r\n\r\n".encode())
        received, is_reset = await read_to_end(reader)
        writer.close()
    assert not is_reset
    assert len(json.loads(received.partition(b"\r\n\r\n")[2])) == 2 * CHUNK + 2


async def break_later_chunk(stage: Stage) -> None:
    """Make a report unreadable that is in neither the first chunk of a table nor that of JSON."""
    await add_two_reports(stage)
    await stage.copy_first_report(CHUNK + 500)
    await stage.change(
        "UPDATE reports SET body = CAST('{}' AS json) WHERE id = 1000 + :place",
        place=CHUNK + 100,
    )


async def read_to_end(reader: asyncio.StreamReader) -> tuple[bytes, bool]:
    """Return the received bytes, and whether the connection ended with a reset."""
    received = b""
    try:
        while part := await reader.read(65_536):
            received += part
    except ConnectionResetError:
        return received, True
    return received, False
