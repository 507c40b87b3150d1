"""TLS in front of the embedded Postgres, whose build has none."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url

_SSL_REQUEST = bytes.fromhex("0000000804d2162f")


@dataclass
class TlsPostgres:
    """A server that offers TLS; ``handshakes`` counts those that succeeded."""

    url: str = ""
    handshakes: int = 0


@asynccontextmanager
async def open_tls_postgres(url: str, certificate: Path) -> AsyncIterator[TlsPostgres]:
    """Serve a Postgres on a Unix socket at 127.0.0.1, with and without TLS."""
    parsed = make_url(url)
    upstream = f"{parsed.query['host']}/.s.PGSQL.{parsed.query.get('port', 5432)}"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    front = TlsPostgres()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            first = await reader.readexactly(len(_SSL_REQUEST))
            if first == _SSL_REQUEST:
                writer.write(b"S")
                await writer.start_tls(context)
                front.handshakes += 1
                first = b""
            await _forward(first, reader, writer, upstream)
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    front.url = URL.create(
        "postgresql",
        parsed.username,
        parsed.password,
        "127.0.0.1",
        server.sockets[0].getsockname()[1],
        parsed.database,
    ).render_as_string(hide_password=False)
    async with server:
        yield front


async def _forward(
    first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, upstream: str
) -> None:
    server_reader, server_writer = await asyncio.open_unix_connection(upstream)
    server_writer.write(first)
    pumps = [_pump(reader, server_writer), _pump(server_reader, writer)]
    await asyncio.wait(map(asyncio.create_task, pumps), return_when=asyncio.FIRST_COMPLETED)
    server_writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
