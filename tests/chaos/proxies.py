"""TCP proxies between a replica and its dependencies: forward, hold, delay, cut or refuse."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_LOOK_SECONDS = 0.05
_ABANDONED_SECONDS = 60.0
"""Time for which the server keeps the connection of a client that ended while cut off.

TCP keepalive would then detect it.
"""


class Way(Enum):
    """Direction of a chunk: up to the server or down to the replica."""

    UP = "up"
    DOWN = "down"


class Mode(Enum):
    """Handling of all connections of a proxy. A held connection is open and silent."""

    PASS = "pass"
    HOLD = "hold"
    REFUSE = "refuse"


@dataclass(eq=False)
class Wire:
    """One connection.

    A stranded wire forwards nothing, independently of others: the peer is gone without a reset.
    """

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    stranded: bool = False
    backend: int | None = None
    """For Postgres: the pid of the server process."""
    delay_seconds: float = 0.0
    """Delay of the next chunk to the replica."""
    pumps: list[asyncio.Task[None]] = field(default_factory=list)
    was_cut: bool = False

    def cut(self) -> None:
        """Reset both ends."""
        self.was_cut = True
        for writer in (self.client, self.server):
            writer.transport.abort()


Tap = Callable[[Wire, Way, bytes], bool]
"""Called with each chunk before it is forwarded. False drops it and cuts the connection."""


Ended = Callable[[Wire, Way], None]
"""Called at the end of a connection.

UP: the replica closed it first. DOWN: the server or the proxy did.
"""


class Proxy:
    """A listener on loopback whose connections lead to one server."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Streams]],
        tap: Tap,
        ended: Ended = lambda _wire, _way: None,
    ) -> None:
        self.mode = Mode.PASS
        self.delay_seconds = 0.0
        """Delay of every chunk in both directions."""
        self.wires: set[Wire] = set()
        self.port = 0
        self.sent_at = time.monotonic()
        """Monotonic time of the replica's last chunk."""
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
        """Close the port and cut all connections."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        self.cut_all()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut_all(self) -> None:
        """Reset all connections."""
        for wire in list(self.wires):
            wire.cut()

    def strand_all(self) -> None:
        """Leave all connections half-open; new ones work."""
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
    """Return a function that connects to a TCP port."""

    async def connect() -> Streams:
        return await asyncio.open_connection(host, port)

    return connect


def to_socket(path: str) -> Callable[[], Awaitable[Streams]]:
    """Return a function that connects to a Unix socket, as the embedded Postgres needs."""

    async def connect() -> Streams:
        return await asyncio.open_unix_connection(path)

    return connect
