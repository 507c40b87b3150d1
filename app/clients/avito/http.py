"""HTTP client for Avito: headers, timeouts, size of responses, failures without a response."""

from pathlib import Path

import httpx

from app.clients.avito.errors import AvitoUnavailableError, AvitoUnreadableError
from app.clients.bounded_body import UnreadableBodyError
from app.clients.connection_faults import describe_missing_response
from app.clients.connections import Connections, build_opener

_MAX_BODY_BYTES = 4 * 2**20
"""Bytes. The largest page of messages that Avito's own limits allow has a tenth of it."""


class AvitoConnections(Connections, httpx.AsyncBaseTransport):
    """Connections as a transport of httpx."""


def create_avito_http(
    base_url: str, *, timeout_seconds: float = 30, ca_file: Path | None = None
) -> httpx.AsyncClient:
    """Create the HTTP client for Avito; the caller closes it.

    - ``timeout_seconds`` limits the time between two pieces of a response.
    - ``ca_file``: see ``get_tls_context``.

    Raises:
        SettingsError: the proxy of the environment is unusable.
    """
    return httpx.AsyncClient(
        base_url=base_url,
        transport=AvitoConnections(
            build_opener(httpx, base_url, ca_file), max_bytes=_MAX_BODY_BYTES
        ),
        trust_env=False,
        timeout=httpx.Timeout(timeout_seconds, connect=min(10, timeout_seconds), pool=None),
        headers={"Accept": "application/json", "Accept-Encoding": "gzip"},
    )


async def send(http: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    """Send a request and read the whole response.

    Raises:
        AvitoUnavailableError: there is no response.
        AvitoUnreadableError: the response is too large or has an unrequested encoding.
    """
    try:
        return await http.send(request)
    except UnreadableBodyError as error:
        raise AvitoUnreadableError(
            f"Авито прислал ответ, который не прочесть ({error}); если повторяется, обновите"
            " программу."
        ) from None
    except httpx.RequestError as error:
        raise _build_connection_error(error, str(request.url)) from error


def _build_connection_error(error: httpx.RequestError, url: str) -> AvitoUnavailableError:
    proxy_error = error if isinstance(error, httpx.ProxyError) else None
    return AvitoUnavailableError(
        describe_missing_response(
            error, proxy_error, server="Авито", url=url, setting="AVITO_BASE_URL"
        )
    )


async def fetch_date_header(http: httpx.AsyncClient) -> str:
    """Return the ``Date`` header of a response of Avito, or "" if there is none."""
    try:
        response = await send(http, http.build_request("HEAD", "/"))
    except (AvitoUnavailableError, AvitoUnreadableError):
        return ""
    return str(response.headers.get("Date", ""))
