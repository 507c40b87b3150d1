"""The openai package's client: connections, size of the answers, and no settings of its own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import openai

from app.clients.connections import Connections, build_opener

_MAX_BODY_BYTES = 2**20
"""Bytes. The longest answer requested has a fiftieth of it."""
_CONNECT_SECONDS = 10.0
"""Shorter than an attempt: an unreachable server or proxy is not a slow answer."""
_FOREIGN_SETTINGS = "OPENAI_"
"""Prefix of the environment variables from which the package takes keys, addresses and headers."""


def create_api(
    base_url: str,
    api_key: str,
    *,
    timeout_seconds: float,
    ca_file: Path | None = None,
) -> openai.AsyncOpenAI:
    """Return a client without retries. Only the arguments and the proxy decide where it sends.

    The caller bounds the number of requests in flight. ``ca_file``: see ``get_tls_context``.

    Raises:
        SettingsError: the proxy of the environment is unusable.
    """
    http = create_deepseek_http(base_url, ca_file)
    with _hide_foreign_settings():
        return openai.AsyncOpenAI(
            api_key=api_key or "none",  # the package refuses to start without a key
            base_url=base_url,
            max_retries=0,
            timeout=httpx2.Timeout(
                timeout_seconds, connect=min(_CONNECT_SECONDS, timeout_seconds / 2)
            ),
            http_client=http,
        )


def create_deepseek_http(base_url: str, ca_file: Path | None = None) -> httpx2.AsyncClient:
    """Return the HTTP client that the package uses; the caller closes it."""
    with _hide_foreign_settings():
        return openai.DefaultAsyncHttpxClient(
            transport=_DeepSeekConnections(
                build_opener(httpx2, base_url, ca_file), max_bytes=_MAX_BODY_BYTES
            ),
            trust_env=False,
            headers={"Accept-Encoding": "gzip"},
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


class _DeepSeekConnections(Connections, httpx2.AsyncBaseTransport):
    """Connections as a transport of httpx2."""
