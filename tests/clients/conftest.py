"""Local servers of the clients' tests, and clients with short delays between attempts."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from app.clients.avito import AvitoClient, AvitoCredentials, create_avito_http
from app.clients.deepseek import DeepSeekClient
from app.clients.retry import RetryPolicy
from app.clock import Clock, system_clock
from app.sandbox.avito import LocalAvito
from app.sandbox.avito_state import AvitoListing, SandboxBuyer
from app.sandbox.deepseek import LocalDeepSeek
from app.sandbox.server import serve_app
from tests.support.shared_server import SharedServer

IMPATIENT = RetryPolicy(attempts=3, first_wait_seconds=0.001, longest_wait_seconds=0.01)


@pytest.fixture(scope="session")
async def shared_server() -> AsyncIterator[SharedServer]:
    server = SharedServer()
    async with serve_app(server) as server.url, create_avito_http(server.url) as server.http:
        yield server


@pytest.fixture
def local_avito(shared_server: SharedServer) -> LocalAvito:
    """An Avito with one account and no chats."""
    avito = LocalAvito()
    shared_server.app = avito.app
    return avito


@pytest.fixture
async def make_avito(
    shared_server: SharedServer, local_avito: LocalAvito
) -> AsyncIterator[Callable[..., AvitoClient]]:
    """Factory of clients of the local Avito; ``http`` are options of ``create_avito_http``."""
    async with AsyncExitStack() as opened:

        def make(
            *,
            secret: str = local_avito.accounts[0].client_secret,
            retry: RetryPolicy = IMPATIENT,
            clock: Clock = system_clock,
            max_concurrency: int = 4,
            requests_per_minute: int = 0,
            base_url: str = shared_server.url,
            **http: Any,
        ) -> AvitoClient:
            own = (
                create_avito_http(base_url, **http)
                if http or base_url != shared_server.url
                else None
            )
            if own:
                opened.push_async_callback(own.aclose)
            return AvitoClient(
                own or shared_server.http,
                AvitoCredentials(local_avito.accounts[0].client_id, secret),
                max_concurrency=max_concurrency,
                requests_per_minute=requests_per_minute,
                retry=retry,
                clock=clock,
            )

        yield make


@pytest.fixture
def avito(make_avito: Callable[..., AvitoClient]) -> AvitoClient:
    """A client of the local Avito that retries a failed read twice."""
    return make_avito()


@pytest.fixture
def chat_id(local_avito: LocalAvito) -> str:
    """A chat about a listing with a question of the buyer and an answer of the company."""
    noon = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    listing = AvitoListing(3_014_567_801, "Kia Rio 1.6 AT, 2019", "1 350 000 ₽")
    chat = local_avito.add_chat(
        item=listing, client=SandboxBuyer(5_300_000_000_001, "Марина"), at=noon
    )
    local_avito.add_message(chat.id, "client", text="Торг есть? 🙂", at=noon)
    local_avito.add_message(chat.id, "company", text="Добрый день!\nЕсть.", at=noon)
    return chat.id


@pytest.fixture
def local_deepseek(shared_server: SharedServer) -> LocalDeepSeek:
    deepseek = LocalDeepSeek(api_key="sk-canary-key")
    shared_server.app = deepseek.app
    return deepseek


@pytest.fixture
async def make_deepseek(
    shared_server: SharedServer, local_deepseek: LocalDeepSeek
) -> AsyncIterator[Callable[..., DeepSeekClient]]:
    """Factory of clients of the local DeepSeek."""
    async with AsyncExitStack() as opened:

        def make(
            *,
            base_url: str = shared_server.url,
            api_key: str = local_deepseek.api_key,
            model: str = "deepseek-flash",
            retry: RetryPolicy = IMPATIENT,
            max_concurrency: int = 8,
            timeout_seconds: float = 30,
            omit: Collection[str] = (),
            answer_schema: dict[str, Any] | None = None,
        ) -> DeepSeekClient:
            client = DeepSeekClient(
                base_url,
                api_key,
                model,
                max_concurrency=max_concurrency,
                timeout_seconds=timeout_seconds,
                retry=retry,
                omit=omit,
                answer_schema=answer_schema,
            )
            opened.push_async_callback(client.aclose)
            return client

        yield make


@pytest.fixture
def deepseek(make_deepseek: Callable[..., DeepSeekClient]) -> DeepSeekClient:
    """A client of the local DeepSeek that retries a failed request twice."""
    return make_deepseek()


@pytest.fixture
def scripted_smtp() -> Callable[[dict[str, str]], Any]:
    """A mail server with scripted replies, 250 by default.

    It sends replies that regular servers cannot be made to send. Keys are commands or whole lines,
    ``greeting``, and ``.`` for the mail's end. The reply ``cut`` closes the connection, ``hang``
    sends nothing.
    """

    @asynccontextmanager
    async def serve_script(script: dict[str, str]) -> AsyncIterator[int]:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            step = "greeting"
            while (
                step
                and (
                    answer := script.get(
                        step, {"greeting": "220 hi", "DATA": "354 go on"}.get(step, "250 2.0.0 Ok")
                    )
                )
                != "cut"
            ):
                if answer != "hang":
                    writer.write(f"{answer}\r\n".encode())
                line = (
                    await reader.readuntil(b"\r\n.\r\n")
                    if step == "DATA" and answer.startswith("354")
                    else await reader.readline()
                )
                command = line.decode(errors="replace").strip()
                step = (
                    "."
                    if line.endswith(b"\r\n.\r\n")
                    else command
                    if command in script
                    else command.partition(" ")[0].upper()
                )
            writer.close()

        server = await asyncio.start_server(handle, "127.0.0.1")
        async with server:
            yield server.sockets[0].getsockname()[1]

    return serve_script
