"""The openai package's client: its pool, the size of its answers, and no settings of its own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import openai

from app.clients.bounded_body import BoundedBody, limit_body
from app.clients.proxies import find_proxy
from app.clients.tls import get_tls_context

_MAX_BODY_BYTES = 2**20
"""Bytes. The longest answer requested has a fiftieth of it."""
_FOREIGN_SETTINGS = "OPENAI_"
"""Prefix of the environment variables from which the package takes keys, addresses and headers."""


def create_api(
    base_url: str,
    api_key: str,
    *,
    max_concurrency: int,
    timeout_seconds: float,
    ca_file: Path | None = None,
) -> openai.AsyncOpenAI:
    """Return a client without retries. Only the arguments and the proxy decide where it sends.

    ``ca_file``: see ``get_tls_context``.

    Raises:
        SettingsError: the proxy of the environment is unusable.
    """
    # The package's own pool allows 1,000 connections and keeps 100 of them; it would override
    # this limit.
    limits = httpx2.Limits(
        max_connections=max_concurrency, max_keepalive_connections=max_concurrency
    )
    tls, proxy = get_tls_context(ca_file), find_proxy(base_url)
    with _hide_foreign_settings():
        return openai.AsyncOpenAI(
            api_key=api_key or "none",  # the package refuses to start without a key
            base_url=base_url,
            max_retries=0,
            timeout=timeout_seconds,
            http_client=openai.DefaultAsyncHttpxClient(
                limits=limits,
                verify=tls,
                proxy=httpx2.Proxy(proxy.url, ssl_context=tls if proxy.is_encrypted else None)
                if proxy
                else None,
                trust_env=False,
                headers={"Accept-Encoding": "gzip"},
                event_hooks={"response": [limit_body(_BoundedBody, _MAX_BODY_BYTES)]},
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


class _BoundedBody(BoundedBody, httpx2.AsyncByteStream):
    """A bounded body as a stream of httpx2."""
