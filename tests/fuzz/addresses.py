"""A proxy that gives each connection its own loopback address.

Each connection thus appears to come from another machine.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count

_numbers = count(1)


@asynccontextmanager
async def open_forwarder(port: int) -> AsyncIterator[str]:
    """Start a proxy to the port and yield its address. Linux only.

    Failed attempts on one connection do not throttle the next one.
    """

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = next(_numbers)
        source = f"127.{number >> 16 & 127 | 1}.{number >> 8 & 255}.{number & 255}"
        onward = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
        await asyncio.gather(_copy(reader, onward[1]), _copy(onward[0], writer))

    server = await asyncio.start_server(forward, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with suppress(ConnectionError):
        writer.close()
        await writer.wait_closed()
