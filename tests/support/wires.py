"""A proxy between the service and Postgres that can stop forwarding silently."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy import make_url


class Wire:
    """Forwards bytes in both directions until it hangs.

    After that, bytes are neither refused nor answered.
    """

    def __init__(self, socket_path: str) -> None:
        self._socket_path = socket_path
        self._open = asyncio.Event()
        self._open.set()
        self._tasks: set[asyncio.Task[None]] = set()

    def hang(self) -> None:
        self._open.clear()

    def resume(self) -> None:
        self._open.set()

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one connection of the service."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        there, back = await asyncio.open_unix_connection(self._socket_path)
        try:
            await asyncio.gather(self._carry(reader, back), self._carry(there, writer))
        finally:
            for end in (writer, back):
                end.close()
            self._tasks.discard(task)

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while chunk := await source.read(65536):
                await self._open.wait()
                target.write(chunk)
                await target.drain()
        target.close()

    async def cut(self) -> None:
        """Break all connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def open_wire(url: str) -> AsyncIterator[tuple[Wire, str]]:
    """Start a proxy to the database; yield it and the address that leads through it."""
    parsed = make_url(url)
    wire = Wire(f"{parsed.query['host']}/.s.PGSQL.{parsed.query.get('port', 5432)}")
    server = await asyncio.start_server(wire.connect, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    near = parsed.set(host="127.0.0.1", port=port, query={}).render_as_string(hide_password=False)
    try:
        yield wire, near
    finally:
        server.close()
        await wire.cut()
