"""A TCP proxy in front of Postgres that simulates network failures."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import URL, make_url

_SIZE = 65_536


@dataclass
class Network:
    """The network between a client and Postgres.

    - ``silent``: directions whose bytes are read and dropped; no connection is closed. Connections
      that have lost bytes stay silent after ``heal``.
    - ``delay_seconds``: delay of each piece.
    """

    url: str
    silent: frozenset[Literal["to_server", "to_client"]] = frozenset()
    delay_seconds: float = 0.0
    refusing: bool = False
    accepted: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _pumps: set[asyncio.Task[None]] = field(default_factory=set)

    def blackhole(self) -> None:
        """Drop all bytes in both directions."""
        self.silent = frozenset({"to_server", "to_client"})

    def heal(self) -> None:
        """Forward bytes and accept connections again."""
        self.silent, self.refusing, self.delay_seconds = frozenset(), False, 0.0

    @property
    def connections(self) -> int:
        """Number of connected clients."""
        return len(self._writers) // 2

    def reset(self) -> None:
        """Close every connection with an RST."""
        for writer in self._writers:
            _reset(writer)
        for pump in self._pumps:
            pump.cancel()

    async def forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, upstream: str
    ) -> None:
        """Forward between a client and the server until one of them disconnects."""
        self.accepted += 1
        if self.refusing:
            _reset(writer)
            return
        server_reader, server_writer = await asyncio.open_unix_connection(upstream)
        pair = {writer, server_writer}
        self._writers |= pair
        pumps = {
            asyncio.create_task(self._pump("to_server", reader, server_writer)),
            asyncio.create_task(self._pump("to_client", server_reader, writer)),
        }
        self._pumps |= pumps
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self._pumps -= pumps
            self._writers -= pair
            for one in pair:
                one.transport.abort()

    async def _pump(
        self,
        direction: Literal["to_server", "to_client"],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        lost = False
        try:
            while piece := await reader.read(_SIZE):
                await asyncio.sleep(self.delay_seconds)
                lost = lost or direction in self.silent
                if not lost:
                    writer.write(piece)
                    await writer.drain()
        except OSError:
            return
        if lost or direction in self.silent:  # the other side does not see the close either
            await asyncio.Event().wait()


def _reset(writer: asyncio.StreamWriter) -> None:
    if writer.get_extra_info("socket").family != socket.AF_UNIX:
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
    writer.transport.abort()


@asynccontextmanager
async def open_network(url: str, host: str = "127.0.0.1") -> AsyncIterator[Network]:
    """Start a proxy in front of a Postgres on a Unix socket; its ``url`` leads through it."""
    parsed = make_url(url)
    upstream = f"{parsed.query['host']}/.s.PGSQL.{parsed.query.get('port', 5432)}"
    tasks: set[asyncio.Task[None]] = set()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        await network.forward(reader, writer, upstream)

    server = await asyncio.start_server(forward, host, 0)
    port = server.sockets[0].getsockname()[1]
    network = Network(
        URL.create(
            "postgresql", parsed.username, parsed.password, host, port, parsed.database
        ).render_as_string(hide_password=False)
    )
    try:
        yield network
    finally:
        server.close()
        network.reset()
        await asyncio.gather(*tasks, return_exceptions=True)
