"""An Avito in a separate process whose own cost does not limit the benchmark.

The bodies are those of the sandbox, built before the first request. The sandbox's own server needs
more processor time for a response than the service for reading it.

    python -m tests.benchmarks.quick_avito CHATS MESSAGES LATENCY_SECONDS
"""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from app.sandbox.avito import LocalAvito
from app.sandbox.avito_payloads import build_chat_body, build_message_body, build_self_body


@dataclass(frozen=True)
class QuickAvito:
    """Address and credentials, and the paths of the messages of all chats."""

    environment: dict[str, str]
    message_paths: list[str]

    @property
    def url(self) -> str:
        return self.environment["AVITO_BASE_URL"]


@asynccontextmanager
async def start_quick_avito(
    *, chats: int, messages: int, latency: float
) -> AsyncIterator[QuickAvito]:
    """Start the server; each response arrives ``latency`` seconds after its request."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, str(chats), str(messages), str(latency)),
        stdout=asyncio.subprocess.PIPE,
        limit=2**24,
    )
    try:
        assert process.stdout is not None
        yield QuickAvito(**json.loads(await process.stdout.readline()))
    finally:
        process.terminate()
        await process.wait()


class Responses:
    """The responses of one account, as bytes."""

    def __init__(self, avito: LocalAvito) -> None:
        self._account = avito.accounts[0]
        newest = sorted(self._account.chats.values(), key=lambda chat: -chat.updated)
        self._chats = [
            json.dumps(build_chat_body(self._account, chat, avito.switches)) for chat in newest
        ]
        self._messages = {
            chat.id: _pack(
                {
                    "messages": [
                        build_message_body(self._account, chat, message, avito.switches)
                        for message in reversed(chat.messages)
                    ],
                    "meta": {"has_more": False},
                }
            )
            for chat in newest
        }

    @property
    def message_paths(self) -> list[str]:
        user = self._account.user_id
        return [f"/messenger/v3/accounts/{user}/chats/{one}/messages/" for one in self._messages]

    def find(self, target: str) -> bytes:
        """Return the response to a request for this path with its query."""
        parts = urlsplit(target)
        match parts.path.strip("/").split("/"):
            case ["token"]:
                return _pack({"access_token": "t", "expires_in": 86_400, "token_type": "Bearer"})
            case ["core", "v1", "accounts", "self"]:
                return _pack(build_self_body(self._account))
            case [*_, "chats", chat_id, "messages"]:
                return self._messages[unquote(chat_id)]
            case [*_, "chats"]:
                start = int(parse_qs(parts.query).get("offset", ["0"])[0])
                shown, more = self._chats[start : start + 100], len(self._chats) > start + 100
                body = f'{{"chats":[{",".join(shown)}],"meta":{{"has_more":{json.dumps(more)}}}}}'
                return _pack_text(body)
        return _pack({"resources": [], "meta": {"has_more": False}})


def _pack(body: Any) -> bytes:
    return _pack_text(json.dumps(body))


def _pack_text(text: str) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n"
    return f"{head}\r\n{text}".encode("ascii")


class _Connection(asyncio.Protocol):
    """One connection; requests arrive one after the other and have no body to speak of."""

    def __init__(self, find: Callable[[str], bytes], latency: float) -> None:
        self._find, self._latency = find, latency

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        method, _, rest = data.partition(b" ")
        if method in (b"GET", b"POST"):  # anything else is a body that came in a packet of its own
            response = self._find(rest.partition(b" ")[0].decode("ascii"))
            asyncio.get_running_loop().call_later(self._latency, self._transport.write, response)


async def _serve(chats: int, messages: int, latency: float) -> None:
    avito = LocalAvito()
    avito.add_synthetic_chats(chats, messages)
    responses = Responses(avito)
    server = await asyncio.get_running_loop().create_server(
        lambda: _Connection(responses.find, latency), "127.0.0.1", 0
    )
    account = avito.accounts[0]
    found = {
        "environment": {
            "AVITO_BASE_URL": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}",
            "AVITO_CLIENT_ID": account.client_id,
            "AVITO_CLIENT_SECRET": account.client_secret,
        },
        "message_paths": responses.message_paths,
    }
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("chats", type=int)
    parser.add_argument("messages", type=int)
    parser.add_argument("latency", type=float)
    asyncio.run(_serve(**vars(parser.parse_args())))
