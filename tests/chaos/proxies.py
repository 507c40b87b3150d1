"""TCP proxies between a replica and its far ends: they pass everything on, or hold it, delay it,
cut it or refuse it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_LOOK_SECONDS = 0.05
_ABANDONED_SECONDS = 60.0
"""How long a far end keeps the connection of a client that ended while it was cut off: TCP
keepalive finds out then.
"""


class Way(Enum):
    """Where a chunk goes: up to the far end or down to the replica."""

    UP = "up"
    DOWN = "down"


class Mode(Enum):
    """What happens to all connections of a proxy. A held connection is open and silent: a
    blackhole.
    """

    PASS = "pass"
    HOLD = "hold"
    REFUSE = "refuse"


@dataclass(eq=False)
class Wire:
    """One connection. A stranded wire passes nothing any more, while others may: the peer is gone
    without a reset.
    """

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    stranded: bool = False
    backend: int | None = None
    """Of a connection to Postgres: the process that serves it."""
    delay_seconds: float = 0.0
    """How long the next chunk to the replica is held back."""
    pumps: list[asyncio.Task[None]] = field(default_factory=list)
    was_cut: bool = False

    def cut(self) -> None:
        """Reset both ends."""
        self.was_cut = True
        for writer in (self.client, self.server):
            writer.transport.abort()


Tap = Callable[[Wire, Way, bytes], bool]
"""Sees each chunk before it is passed on. False: the chunk is dropped and the connection is cut."""


Ended = Callable[[Wire, Way], None]
"""Called at the end of a connection. UP: the replica's end closed first; DOWN: the far end's, or
the proxy cut it.
"""


class Proxy:
    """A listener on loopback whose connections lead to one far end."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Streams]],
        tap: Tap,
        ended: Ended = lambda _wire, _way: None,
    ) -> None:
        self.mode = Mode.PASS
        self.delay_seconds = 0.0
        """Added to every chunk, either way."""
        self.wires: set[Wire] = set()
        self.port = 0
        self.sent_at = time.monotonic()
        """When the replica last sent anything."""
        self._connect = connect
        self._tap = tap
        self._ended = ended
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and cut every connection."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        self.cut_all()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut_all(self) -> None:
        """Reset every connection."""
        for wire in list(self.wires):
            wire.cut()

    def strand_all(self) -> None:
        """Leave every connection half-open; new ones work."""
        for wire in self.wires:
            wire.stranded = True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._carry(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.mode is Mode.REFUSE:
            return
        while self.mode is Mode.HOLD and not reader.at_eof():  # noqa: ASYNC110 - any of many faults may end it
            await asyncio.sleep(_LOOK_SECONDS)
        up_reader, up_writer = await self._connect()
        wire = Wire(writer, up_writer)
        self.wires.add(wire)
        wire.pumps = [
            asyncio.create_task(self._pump(wire, Way.UP, reader, up_writer)),
            asyncio.create_task(self._pump(wire, Way.DOWN, up_reader, writer)),
        ]
        try:
            await asyncio.wait(wire.pumps, return_when=asyncio.FIRST_COMPLETED)
            self._ended(wire, Way.UP if wire.pumps[0].done() and not wire.was_cut else Way.DOWN)
            if wire.stranded:
                await asyncio.sleep(_ABANDONED_SECONDS)
        finally:
            for pump in wire.pumps:
                pump.cancel()
            await asyncio.gather(*wire.pumps, return_exceptions=True)
            self.wires.discard(wire)
            up_writer.close()
            writer.close()

    async def _pump(
        self, wire: Wire, way: Way, source: asyncio.StreamReader, target: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            while chunk := await source.read(65536):
                await self._hold_back(wire, way, source)
                if not self._tap(wire, way, chunk):
                    wire.cut()
                    return
                if way is Way.UP:
                    self.sent_at = time.monotonic()
                target.write(chunk)
                await target.drain()
            await self._hold_back(wire, way, source)

    async def _hold_back(self, wire: Wire, way: Way, source: asyncio.StreamReader) -> None:
        if pause := self.delay_seconds + (wire.delay_seconds if way is Way.DOWN else 0):
            await asyncio.sleep(pause)
        while wire.stranded or self.mode is Mode.HOLD:
            await asyncio.sleep(_LOOK_SECONDS)
            if wire.stranded and source.at_eof():
                return


def to_port(host: str, port: int) -> Callable[[], Awaitable[Streams]]:
    """Connects to a TCP port."""

    async def connect() -> Streams:
        return await asyncio.open_connection(host, port)

    return connect


def to_socket(path: str) -> Callable[[], Awaitable[Streams]]:
    """Connects to a Unix socket, which is all that the embedded Postgres listens on."""

    async def connect() -> Streams:
        return await asyncio.open_unix_connection(path)

    return connect
