"""Connections to a server: one transport for each, used again while the server keeps it open.

At the start and at the end of each request the pools of httpx and httpx2 examine all their
connections. With many requests in flight this takes more processor time than the rest of a request.
"""

import time
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from app.clients.bounded_body import decompress
from app.clients.proxies import find_proxy
from app.clients.tls import get_tls_context


def build_opener(package: Any, base_url: str, ca_file: Path | None) -> Callable[[], Any]:
    """Return a function that creates a transport for one connection to the server.

    - ``package`` is httpx or httpx2: their classes have the same names and arguments.
    - ``ca_file``: see ``get_tls_context``.

    Raises:
        SettingsError: the proxy of the environment is unusable.
    """
    tls, found = get_tls_context(ca_file), find_proxy(base_url)
    proxy = (
        package.Proxy(found.url, ssl_context=tls if found.is_encrypted else None) if found else None
    )
    return partial(
        package.AsyncHTTPTransport,
        verify=tls,
        proxy=proxy,
        trust_env=False,
        limits=package.Limits(max_connections=1),
    )


class Connections:
    """A transport that sends each request over the connection that was idle for the shortest time.

    ``open_connection`` is what ``build_opener`` returns. The caller bounds the number of
    requests in flight. A connection that was not used for ``idle_seconds`` is closed. A response is
    read whole; ``UnreadableBodyError`` is raised for a body that has more than ``max_bytes`` or
    cannot be decompressed.

    An HTTP package accepts only transports of its own type. Its client therefore derives a class
    from this one and from that type.
    """

    def __init__(
        self,
        open_connection: Callable[[], Any],
        *,
        max_bytes: int,
        idle_seconds: float = 5.0,
    ) -> None:
        self._open, self._max_bytes, self._idle_seconds = open_connection, max_bytes, idle_seconds
        self._idle = deque[tuple[Any, float]]()

    async def handle_async_request(self, request: Any) -> Any:
        """Send the request and read the response."""
        await self._close_unused()
        connection = self._idle.pop()[0] if self._idle else self._open()
        try:
            return await self._read(await connection.handle_async_request(request))
        finally:
            self._idle.append((connection, time.monotonic()))

    async def aclose(self) -> None:
        """Close the idle connections."""
        while self._idle:
            await self._idle.popleft()[0].aclose()

    async def _read(self, response: Any) -> Any:
        encoding = response.headers.pop("Content-Encoding", "")
        try:
            pieces = [
                piece async for piece in decompress(response.stream, encoding, self._max_bytes)
            ]
        finally:
            await response.stream.aclose()
        return type(response)(
            response.status_code,
            headers=response.headers,
            content=b"".join(pieces),
            extensions=response.extensions,
        )

    async def _close_unused(self) -> None:
        if self._idle and time.monotonic() - self._idle[0][1] > self._idle_seconds:
            await self._idle.popleft()[0].aclose()
