"""The openai package's client: its pool, the size of its answers, and no settings of its own."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httpx2
import openai

from app.clients.bounded_body import decompress
from app.clients.tls import get_tls_context

_MAX_BODY_BYTES = 2**20
"""Bytes. The longest answer requested has a fiftieth of it."""
_FOREIGN_SETTINGS = "OPENAI_"
"""Prefix of the environment variables from which the package takes keys, addresses and headers."""


def create_api(
    base_url: str, api_key: str, *, max_concurrency: int, timeout_seconds: float
) -> openai.AsyncOpenAI:
    """Return a client without retries. Only the arguments decide what it sends, and where."""
    # The package's own pool allows 1,000 connections and keeps 100 of them; it would override
    # this limit.
    limits = httpx2.Limits(
        max_connections=max_concurrency, max_keepalive_connections=max_concurrency
    )
    with _hide_foreign_settings():
        return openai.AsyncOpenAI(
            api_key=api_key or "none",  # the package refuses to start without a key
            base_url=base_url,
            max_retries=0,
            timeout=timeout_seconds,
            http_client=openai.DefaultAsyncHttpxClient(
                limits=limits,
                verify=get_tls_context(),
                headers={"Accept-Encoding": "gzip"},
                event_hooks={"response": [_limit_body]},
            ),
        )


@contextmanager
def _hide_foreign_settings() -> Iterator[None]:
    """Hide the package's variables while it reads them: when a client is created.

    A machine may have them for another program. They would send its headers to this server.
    """
    names = [name for name in os.environ if name.startswith(_FOREIGN_SETTINGS)]
    hidden = {name: os.environ.pop(name) for name in names}
    try:
        yield
    finally:
        os.environ.update(hidden)


async def _limit_body(response: httpx2.Response) -> None:
    """Replace the package's decompression with the bounded one before the body is read."""
    assert isinstance(response.stream, httpx2.AsyncByteStream)  # noqa: S101 - always in async
    response.stream = _BoundedStream(response.stream, response.headers.pop("Content-Encoding", ""))


class _BoundedStream(httpx2.AsyncByteStream):
    """The decompressed body of a response, bounded in size."""

    def __init__(self, stream: httpx2.AsyncByteStream, encoding: str) -> None:
        self._stream, self._encoding = stream, encoding

    def __aiter__(self) -> AsyncIterator[bytes]:
        return decompress(self._stream, self._encoding, _MAX_BODY_BYTES)

    async def aclose(self) -> None:
        """Close the stream; the connection is closed or returned to the pool."""
        await self._stream.aclose()
