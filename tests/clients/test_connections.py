"""Connections of the clients are kept, opened as needed, and closed when they are not used."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import httpx2
import pytest

from app.clients.avito import create_avito_http
from app.clients.avito.http import AvitoConnections
from app.clients.deepseek.api import create_deepseek_http
from tests.support.stage import until

Http = httpx.AsyncClient | httpx2.AsyncClient
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@dataclass
class CountingServer:
    """A server that answers ``{}`` after ``seconds`` and counts its connections."""

    url: str = ""
    opened: int = 0
    seconds: float = 0
    open_now: set[asyncio.StreamWriter] = field(default_factory=set)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        self.open_now.add(writer)
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                await asyncio.sleep(self.seconds)
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open_now.discard(writer)
            writer.close()


Served = tuple[CountingServer, Http]


@asynccontextmanager
async def listening() -> AsyncIterator[CountingServer]:
    server = CountingServer()
    listener = await asyncio.start_server(server.handle, "127.0.0.1")
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    async with listener:
        yield server


@pytest.fixture(params=[create_avito_http, create_deepseek_http])
async def serving(request: pytest.FixtureRequest) -> AsyncIterator[Served]:
    async with listening() as server, request.param(server.url) as http:
        yield server, http


async def request_at_once(server: CountingServer, http: Http, requests: int) -> None:
    async def request() -> Any:
        return (await http.get(server.url)).json()

    answers = await asyncio.gather(*(request() for _ in range(requests)))
    assert answers == [{}] * requests


async def test_requests_one_after_the_other_share_one_connection(serving: Served) -> None:
    server, http = serving
    for _ in range(5):
        await request_at_once(server, http, 1)
    assert server.opened == 1


async def test_as_many_connections_as_requests_in_flight(serving: Served) -> None:
    server, http = serving
    server.seconds = 0.05
    for _ in range(3):
        await request_at_once(server, http, 8)
    assert server.opened == 8


async def test_connection_closed_by_the_server_is_replaced(serving: Served) -> None:
    server, http = serving
    await request_at_once(server, http, 1)
    for writer in server.open_now:
        writer.close()
    await wait_open(server, 0)
    await request_at_once(server, http, 1)
    assert server.opened == 2


async def test_cancelled_request_leaves_no_unusable_connection(serving: Served) -> None:
    server, http = serving
    server.seconds = 30
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await request_at_once(server, http, 1)
    server.seconds = 0
    await request_at_once(server, http, 1)


async def test_unused_connections_are_closed() -> None:
    """Each request closes one; a burst leaves no open connections for long."""
    pool = AvitoConnections(httpx.AsyncHTTPTransport, max_bytes=1_000, idle_seconds=0.1)
    async with listening() as server, httpx.AsyncClient(transport=pool) as http:
        server.seconds = 0.05
        await request_at_once(server, http, 4)
        await asyncio.sleep(0.2)
        for _ in range(4):
            await request_at_once(server, http, 1)
        await wait_open(server, 1)


async def test_closed_client_closes_its_connections(serving: Served) -> None:
    server, http = serving
    server.seconds = 0.05
    await request_at_once(server, http, 4)
    await http.aclose()
    await wait_open(server, 0)


async def wait_open(server: CountingServer, connections: int) -> None:
    async def are_open() -> bool:
        return len(server.open_now) == connections

    await until(are_open)
