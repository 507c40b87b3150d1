"""A forward proxy: HTTP requests, CONNECT tunnels and SOCKS 5, with or without a password."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

PASSWORD = "canary-p@ss:word"
_USER = "user"
_OK, _FAILED = b"\x05\x00\x00\x01\0\0\0\0\0\0", b"\x05\x05\x00\x01\0\0\0\0\0\0"


class LocalProxy:
    """Counts what it forwards: ``targets`` are pairs of a protocol and ``host:port``.

    ``hosts``: addresses of names that only the proxy resolves.
    """

    def __init__(self, *, needs_login: bool = False) -> None:
        self.needs_login = needs_login
        self.port = 0
        self.targets: list[tuple[str, str]] = []
        self.hosts: dict[str, str] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of a client."""
        with suppress(OSError, asyncio.IncompleteReadError):
            first = await reader.readexactly(1)
            if first == b"\x05":
                await self._serve_socks(reader, writer)
            else:
                await self._serve_http(first, reader, writer)
        writer.close()

    async def _serve_socks(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        methods = await reader.readexactly((await reader.readexactly(1))[0])
        method = 2 if self.needs_login else 0
        if method not in methods:
            writer.write(b"\x05\xff")
            return
        writer.write(bytes([5, method]))
        if self.needs_login and not await self._check_socks_login(reader, writer):
            return
        kind = (await reader.readexactly(4))[3]
        size = {1: 4, 4: 16}.get(kind) or (await reader.readexactly(1))[0]
        host = await reader.readexactly(size)
        port = int.from_bytes(await reader.readexactly(2), "big")
        name = ".".join(map(str, host)) if kind == 1 else host.decode()
        self.targets.append(("socks", f"{name}:{port}"))
        try:
            there = await asyncio.open_connection(self.hosts.get(name, name), port)
        except OSError:
            writer.write(_FAILED)
            return
        writer.write(_OK)
        await join(reader, writer, *there)

    async def _check_socks_login(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        await reader.readexactly(1)
        given = [
            (await reader.readexactly((await reader.readexactly(1))[0])).decode() for _ in range(2)
        ]
        is_right = given == [_USER, PASSWORD]
        writer.write(b"\x01\x00" if is_right else b"\x01\x01")
        return is_right

    async def _serve_http(
        self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        head = first + await reader.readuntil(b"\r\n\r\n")
        login = base64.b64encode(f"{_USER}:{PASSWORD}".encode())
        if self.needs_login and b"basic " + login.lower() not in head.lower():
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        method, target, version = head.split(b"\r\n", 1)[0].split(b" ")
        place = urlsplit(target.decode() if b"://" in target else f"//{target.decode()}")
        self.targets.append((method.decode(), f"{place.hostname}:{place.port}"))
        there = await asyncio.open_connection(
            self.hosts.get(place.hostname or "", place.hostname), place.port
        )
        if method == b"CONNECT":
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            path = target.split(b"/", 3)[3]
            rest = re.sub(rb"(?i)\r\n(proxy-|connection:)[^\r]*", b"", head.split(b"\r\n", 1)[1])
            line = b" ".join([method, b"/" + path, version])
            there[1].write(line + b"\r\nConnection: close\r\n" + rest)
        await join(reader, writer, *there)


async def join(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    there_reader: asyncio.StreamReader,
    there_writer: asyncio.StreamWriter,
) -> None:
    """Copy between two connections in both directions until both are closed."""

    async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await source.read(65536):
                target.write(chunk)
                await target.drain()
        target.close()

    await asyncio.gather(copy(reader, there_writer), copy(there_reader, writer))


@asynccontextmanager
async def open_proxy(*, needs_login: bool = False) -> AsyncIterator[LocalProxy]:
    """Start a proxy on a free port."""
    proxy = LocalProxy(needs_login=needs_login)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        await proxy.serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
