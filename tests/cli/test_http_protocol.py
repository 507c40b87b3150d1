"""The served port at byte level: raw letters in URLs, and requests that are not HTTP."""

import asyncio
import json
import socket
from contextlib import closing
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import uvicorn
from uvicorn.server import ServerState

from app.cli.http_protocol import HttpProtocol
from app.cli.listening import listen
from app.cli.rest_server import Message, Receive, Send, serve_rest
from tests.support.patience import PATIENCE
from tests.support.stage import BAD_TALK, GOOD_TALK, KEY, Stage

LOW = "/api/v1/reports?start_date=2020-01-01&end_date=2099-12-31&tonality_grade=Низкая"


def make_request(address: str, encoding: str = "utf-8") -> bytes:
    """Return curl's request for a URL with Cyrillic letters.

    It is HTTP/1.0, so the response has no chunks.
    """
    return f"GET {address} HTTP/1.0\r\nX-API-Key: {KEY}\r\n\r\n".encode(encoding)


async def call(address: tuple[str, int], request: bytes) -> tuple[int, Any]:
    """Send a request and return the status and the JSON of the response."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(request)
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return int(head.split()[1]), json.loads(body)


async def _until_cancelled() -> None:
    await asyncio.Event().wait()


async def test_raw_letters_are_decoded_and_invalid_requests_are_400s(
    stage: Stage,
) -> None:
    stage.add_talk(*GOOD_TALK)
    stage.add_talk(*BAD_TALK)
    await stage.sync()
    await stage.analyze()
    known = await stage.reports(tonality_grade="Низкая")
    assert len(known) == 1
    worker = asyncio.create_task(_until_cancelled())
    with closing(listen("127.0.0.1", 0, "")) as listener:
        address = listener.getsockname()
        async with serve_rest(stage.service, listener, worker):
            assert await call(address, make_request(LOW)) == (200, known)
            status, body = await call(address, make_request(LOW, encoding="cp1251"))
            assert (status, [error["field"] for error in body["errors"]]) == (
                400,
                ["tonality_grade"],
            )
            assert "UTF-8" in body["message"]
            for request in (
                make_request("/api/v1/reports?tonality_grade=Нет возражений"),
                b"\x16\x03\x01 TLS\r\n\r\n",
                b"GET\r\n\r\n",
            ):
                status, body = await call(address, request)
                assert (status, set(body), body["status"]) == (400, {"status", "message"}, "error")
                assert "--data-urlencode" in body["message"]


async def receive_request(*pieces: bytes) -> tuple[str, str, str]:
    """Return the query, key and body that an application receives for a request in these pieces."""
    received: asyncio.Future[tuple[str, str, str]] = asyncio.get_running_loop().create_future()

    async def application(scope: Message, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        received.set_result(
            (
                scope["query_string"].decode(),
                dict(scope["headers"])[b"x-api-key"].decode(),
                body.decode(),
            )
        )
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    ours, theirs = socket.socketpair()
    protocol = HttpProtocol(
        uvicorn.Config(application, ws="none", log_config=None), ServerState(), {}
    )
    with theirs:
        transport, _ = await asyncio.get_running_loop().connect_accepted_socket(
            lambda: protocol, ours
        )
        for piece in pieces:
            protocol.data_received(piece)
        result = await received
        transport.close()
    return result


async def test_response_has_the_date_at_which_it_is_sent(stage: Stage) -> None:
    """uvicorn's ticker, which would set it, does not run."""
    worker = asyncio.create_task(_until_cancelled())
    with closing(listen("127.0.0.1", 0, "")) as listener:
        async with (
            serve_rest(stage.service, listener, worker),
            httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{listener.getsockname()[1]}",
                timeout=PATIENCE,
            ) as client,
        ):
            for _ in range(2):
                began = datetime.now(UTC).replace(microsecond=0)
                answer = await client.get("/health/live")
                assert answer.status_code == 200
                sent = parsedate_to_datetime(answer.headers["date"])
                assert began <= sent <= datetime.now(UTC)
                await asyncio.sleep(1.1)


async def test_a_crash_announces_that_its_connection_closes(stage: Stage) -> None:
    """Otherwise a client sends its next request on a connection that is being closed."""
    worker = asyncio.create_task(_until_cancelled())
    period = {"start_date": "2020-01-01", "end_date": "2099-12-31"}
    rename = "ALTER TABLE report_figures RENAME COLUMN {} TO {}"
    with closing(listen("127.0.0.1", 0, "")) as listener:
        host, port = listener.getsockname()
        async with (
            serve_rest(stage.service, listener, worker),
            httpx.AsyncClient(
                base_url=f"http://{host}:{port}",
                headers={"X-API-Key": KEY},
                trust_env=False,
                timeout=PATIENCE,
            ) as client,
        ):
            await stage.change(rename.format("grades", "renamed"))
            try:
                for _ in range(20):
                    crashed = await client.get("/api/v1/reports/summary", params=period)
                    assert (crashed.status_code, crashed.headers["Connection"]) == (500, "close")
                    assert (await client.get("/health/live")).status_code == 200
            finally:
                await stage.change(rename.format("renamed", "grades"))
    assert "журнале службы" in crashed.json()["message"]


async def test_only_the_url_is_percent_encoded_at_any_packet_boundary() -> None:
    content = '{"chat_ids": ["чат"]}'
    head = (
        "POST /?account=Лавка HTTP/1.1\r\nHost: a\r\nX-API-Key: ключ\r\nContent-Length:"
        f" {len(content.encode())}\r\n\r\n"
    )
    request = (head + content).encode()
    expected = ("account=%D0%9B%D0%B0%D0%B2%D0%BA%D0%B0", "ключ", content)
    assert await receive_request(request) == expected
    assert await receive_request(*(request[at : at + 1] for at in range(len(request)))) == expected
