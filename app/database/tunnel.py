"""A local socket through which Postgres's client programs reach the server of an address.

The programs of the embedded Postgres are built without TLS. This process connects by the same rules
as the service and forwards the bytes. The socket is in a folder that no other account can enter.
"""

import asyncio
import ssl
import struct
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog

from app.database.address import Host
from app.database.engine import Database
from app.database.tls import build_tls

log = structlog.get_logger(__name__)

_PORT = 5432
"""Part of the name of a socket. No TCP port is opened."""
_TLS_REQUEST = struct.pack("!ii", 8, 80_877_103)
_ACCEPTED = b"S"
_SASL = struct.pack("!i", 10)
_AUTHENTICATION, _ERROR = b"R", b"E"
_CHUNK = 256 * 1024
_CONNECT_SECONDS = 10.0


@dataclass(frozen=True)
class _Tls:
    """``context`` None: without TLS. ``required``: not without TLS. ``direct``: without asking."""

    context: ssl.SSLContext | None
    required: bool = False
    direct: bool = False


@asynccontextmanager
async def open_tunnel(database: Database) -> AsyncIterator[Host]:
    """Yield the server of the database as a client program without TLS reaches it.

    It is the server of the newest connection: a program tries no other host of an address after a
    connection that was accepted.
    """
    host = database.host
    if not host.name or host.name.startswith("/"):
        yield host
        return
    # The folder has mode 0700.
    with tempfile.TemporaryDirectory(prefix="avito-quality-", ignore_cleanup_errors=True) as folder:
        handle = partial(_forward, host, _choose_tls(database))
        server = await asyncio.start_unix_server(handle, Path(folder) / f".s.PGSQL.{_PORT}")
        try:
            yield Host(folder, _PORT)
        finally:
            server.close()


def _choose_tls(database: Database) -> _Tls:
    options = database.address.tls
    found = build_tls(options, database.name, ca_file=database.ca_file)
    if isinstance(found, ssl.SSLContext):
        return _Tls(found, required=True, direct=options.direct)
    if found == "disable":
        return _Tls(None)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return _Tls(context)


async def _forward(
    host: Host, tls: _Tls, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Forward one connection of a program until either side closes it."""
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            server_reader, server_writer = await _connect(host, tls)
    except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
        log.warning("database.tunnel_failed", host=str(host), error=type(error).__name__)
        writer.close()
        return
    directions = {
        asyncio.create_task(_copy(reader, server_writer)),
        asyncio.create_task(_copy_answers(server_reader, writer)),
    }
    try:
        await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in directions:
            task.cancel()
        writer.close()
        # The program has waited for the answers that it needs.
        server_writer.transport.abort()


async def _connect(host: Host, tls: _Tls) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection(host.name, host.port, limit=_CHUNK)
    try:
        if tls.context and (tls.direct or await _is_offered(reader, writer)):
            await writer.start_tls(tls.context, server_hostname=host.name)
        elif tls.required:
            raise ConnectionError("the server has no TLS")
    except BaseException:
        writer.transport.abort()
        raise
    return reader, writer


async def _is_offered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    writer.write(_TLS_REQUEST)
    return await reader.readexactly(1) == _ACCEPTED


async def _copy_answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(asyncio.IncompleteReadError, OSError):
        writer.write(await read_authentication(reader))
        await _copy(reader, writer)


async def read_authentication(reader: asyncio.StreamReader) -> bytes:
    """Return the messages up to the request for authentication.

    It must not offer channel binding: the program has no TLS to bind to, and would give up.
    """
    messages = b""
    while True:
        kind, length = struct.unpack("!ci", await reader.readexactly(5))
        body = await reader.readexactly(length - 4)
        if kind == _AUTHENTICATION and body.startswith(_SASL):
            names = body.removeprefix(_SASL).split(b"\0")
            kept = [name for name in names if name and not name.endswith(b"-PLUS")]
            body = b"\0".join([_SASL + kept[0], *kept[1:], b"", b""]) if kept else body
        messages += struct.pack("!ci", kind, len(body) + 4) + body
        if kind in (_AUTHENTICATION, _ERROR):
            return messages


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until the end; a connection that breaks has ended."""
    with suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
