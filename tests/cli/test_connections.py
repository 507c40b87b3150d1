"""The port under hostile connections: silent, slow, too many, and request smuggling."""

import asyncio
import json
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress

import httpx
import pytest

from app.cli.http_protocol import ConnectionLimits
from app.cli.listening import listen
from app.cli.open_files import get_max_connections, limit_missing_file_warnings, raise_file_limit
from app.cli.rest_server import serve_rest
from app.cli.strict_http import MAX_CHUNKS
from tests.support.patience import PATIENCE
from tests.support.stage import KEY, Stage, until

Address = tuple[str, int]


@asynccontextmanager
async def serve_on_port(
    stage: Stage,
    limits: ConnectionLimits = ConnectionLimits(),  # noqa: B008 - frozen
) -> AsyncIterator[Address]:
    """The service on its own port."""

    async def until_cancelled() -> None:
        await asyncio.Event().wait()

    with closing(listen("127.0.0.1", 0, "")) as listener:
        address = listener.getsockname()
        async with serve_rest(
            stage.service, listener, asyncio.create_task(until_cancelled()), limits=limits
        ):
            yield address


@contextmanager
def limit_open_files(soft: int) -> Iterator[None]:
    """Limit the number of open files."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def send_request(address: Address, *pieces: bytes, pause: float = 0) -> bytes:
    """Send a request in these pieces and return everything received until the connection ends."""
    reader, writer = await asyncio.open_connection(*address)
    answer = b""

    async def receive_all() -> None:
        nonlocal answer
        with suppress(ConnectionError):
            while piece := await reader.read(65_536):
                answer += piece

    receiving = asyncio.create_task(receive_all())
    with suppress(ConnectionError):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
    await receiving
    writer.close()
    await asyncio.gather(writer.wait_closed(), return_exceptions=True)
    return answer


def read_status(answer: bytes) -> int:
    return int(answer.split()[1]) if answer else 0


GET = b"GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
POST = (
    f"POST /api/v1/llm/analyze HTTP/1.1\r\nHost: a\r\nX-API-Key: {KEY}\r\nContent-Type:"
    " application/json\r\nConnection: close\r\n".encode()
)
SMUGGLED: dict[str, bytes] = {
    "bare LF at a line's end": GET.replace(b"Host: a\r\n", b"Host: a\n") + b"\r\n",
    "bare LF at the head's end": GET + b"\n",
    "bare LF throughout": GET.replace(b"\r\n", b"\n") + b"\n",
    "folded header": GET + b"X-Note: a\r\n b\r\n\r\n",
    "folded length": POST + b"Content-Length:\r\n 2\r\n\r\n{}",
    "one length twice": POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a list of lengths": POST + b"Content-Length: 2, 2\r\n\r\n{}",
    "length and chunks": (
        POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    ),
    "chunks and length": (
        POST + b"transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    ),
    "chunks twice": (
        POST
        + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    ),
    "chunks of HTTP/1.0": (
        POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    ),
    "signed length": POST + b"Content-Length: +2\r\n\r\n{}",
    "malformed chunk": POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "chunk that ends in a bare LF": POST + b"Transfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n",
    "tiny chunks": (
        POST
        + b"Transfer-Encoding: chunked\r\n\r\n"
        + b"1\r\n \r\n" * (MAX_CHUNKS + 1)
        + b"0\r\n\r\n"
    ),
}


async def test_ambiguous_request_is_a_400_without_a_traceback(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    async with serve_on_port(stage) as address:
        for name, request in SMUGGLED.items():
            for pieces in ([request], [request[:-1], request[-1:]]):
                answer = await send_request(address, *pieces, pause=0.01)
                assert read_status(answer) == 400, name
                assert (
                    "не разобрать как HTTP"
                    in json.loads(answer.partition(b"\r\n\r\n")[2])["message"]
                ), name
        for request in (
            GET + b"\r\n",
            POST + b"Content-Length: 2\r\n\r\n{}",
            POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        ):
            assert read_status(await send_request(address, request)) == 200
    assert [record for record in caplog.records if record.exc_info] == []


async def test_the_key_is_checked_before_a_body_is_parsed(stage: Stage) -> None:
    no_key = POST.replace(KEY.encode(), b"not the key that was set")
    tiny = b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * (3 * MAX_CHUNKS)
    async with serve_on_port(stage) as address:
        for rest_of_request in (
            tiny,
            b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
            b"Content-Length: 9\r\n\r\n",
        ):
            answer = await send_request(address, no_key + rest_of_request)
            assert read_status(answer) == 401
            assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == "error"


async def test_connection_continues_after_a_rejected_body(stage: Stage) -> None:
    refused = POST.replace(KEY.encode(), b"-").replace(b"Connection: close\r\n", b"")
    async with serve_on_port(stage) as address:
        for body in (
            b"Content-Length: 2\r\n\r\n{}",
            b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        ):
            answer = await send_request(address, refused + body + GET + b"\r\n")
            assert [int(part.split()[0]) for part in answer.split(b"HTTP/1.1 ")[1:]] == [401, 200]


async def test_warnings_that_a_client_can_cause_are_logged_once_a_minute(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    async with serve_on_port(stage) as address:
        for _ in range(20):
            await send_request(address, b"GET\r\n\r\n")
            await send_request(
                address, GET.replace(b"close", b"close, upgrade") + b"Upgrade: h2c\r\n\r\n"
            )
    assert (caplog.text.count("Invalid HTTP"), caplog.text.count("Unsupported upgrade")) == (1, 1)


async def test_pipelined_request_is_checked_too(stage: Stage) -> None:
    async with serve_on_port(stage) as address:
        first = b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n"
        answer = await send_request(address, first + SMUGGLED["length and chunks"])
        assert answer.count(b"HTTP/1.1 ") == 2
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"HTTP/1.1 400" in answer


async def test_disconnected_clients_cause_no_traceback(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    async with serve_on_port(stage) as address:
        for request in (
            GET,
            POST + b"Content-Length: 100\r\n\r\n{",
            POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
            POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\nzz\r\n",
            b"GET /api/v1/reports?start_date=2020-01-01&end_date=2099-01-01 HTTP/1.1\r\nHost:"
            b" a\r\nX-API-Key: " + KEY.encode() + b"\r\n\r\n",
        ):
            for abruptly in (False, True):
                _, writer = await asyncio.open_connection(*address)
                writer.write(request)
                await writer.drain()
                await asyncio.sleep(0.02)
                writer.transport.abort() if abruptly else writer.close()
        assert read_status(await send_request(address, GET + b"\r\n")) == 200
    assert [
        record for record in caplog.records if record.exc_info or "crashed" in record.getMessage()
    ] == []


async def test_silent_and_slow_clients_are_disconnected(stage: Stage) -> None:
    assert max(ConnectionLimits().head_seconds, ConnectionLimits().body_seconds) <= 30
    async with serve_on_port(
        stage, ConnectionLimits(head_seconds=0.3, body_seconds=0.3)
    ) as address:
        assert await send_request(address) == b""
        head = await send_request(
            address, *[bytes([byte]) for byte in GET + b"X-Long: " + b"a" * 1_000], pause=0.01
        )
        assert read_status(head) in (0, 408)
        body = await send_request(
            address, POST + b"Content-Length: 1000\r\n\r\n", *[b" "] * 200, pause=0.01
        )
        assert read_status(body) in (0, 408)
        kept = await send_request(
            address, b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n", *[b"G"] * 100, pause=0.01
        )
        assert kept.startswith(b"HTTP/1.1 200")


async def test_at_the_limit_only_new_connections_are_refused(
    stage: Stage,
) -> None:
    async with (
        serve_on_port(stage, ConnectionLimits(connections=5)) as address,
        httpx.AsyncClient(base_url=f"http://{address[0]}:{address[1]}", timeout=PATIENCE) as known,
    ):
        assert (await known.get("/health/live")).status_code == 200
        idle = [await asyncio.open_connection(*address) for _ in range(40)]
        await asyncio.sleep(0.2)
        assert sum(reader.at_eof() for reader, _ in idle) == 36
        assert (await known.get("/health/live")).status_code == 200
        assert await send_request(address, GET + b"\r\n") == b""
        for _, writer in idle:
            writer.close()
        await until(lambda: is_served(address))


async def is_served(address: Address) -> bool:
    return read_status(await send_request(address, GET + b"\r\n")) == 200


def test_file_limit_is_raised_and_shared_with_own_traffic() -> None:
    with limit_open_files(256):
        assert get_max_connections() == 50
        raise_file_limit()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        assert soft == hard or soft >= 65_536
    with limit_open_files(1_024):
        assert get_max_connections() == 512


async def test_missing_file_descriptors_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    loop = asyncio.get_running_loop()
    with limit_missing_file_warnings():
        for _ in range(1_000):
            loop.call_exception_handler(
                {
                    "message": "socket.accept() out of system resource",
                    "exception": OSError(24, "no files"),
                }
            )
    assert caplog.text.count("out_of_files") == 1
