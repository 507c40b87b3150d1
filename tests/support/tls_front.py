"""A TLS server in front of a local HTTP server."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.certificates import make_self_signed
from tests.support.proxy_server import join


def make_certificate(folder: Path) -> Path:
    """Write a key and its self-signed certificate for 127.0.0.1; return the file."""
    path = folder / "certificate.pem"
    path.write_text(make_self_signed("127.0.0.1"))
    return path


@asynccontextmanager
async def open_tls_front(url: str, certificate: Path) -> AsyncIterator[str]:
    """Serve a local ``http`` URL over TLS; yield the ``https`` URL."""
    target = urlsplit(url)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        await join(reader, writer, *await asyncio.open_connection(target.hostname, target.port))

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}{target.path}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
