"""HTTP client for Avito: proxy, certificates, size of responses, failures without a response."""

from pathlib import Path

import httpx

from app.clients.avito.errors import AvitoUnavailableError, AvitoUnreadableError
from app.clients.bounded_body import OUT_OF_FILES, UnreadableBodyError, is_out_of_files
from app.clients.connections import Connections
from app.clients.proxies import find_proxy
from app.clients.text import build_excerpt
from app.clients.tls import describe_certificate_fault, get_tls_context

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
    tls, found = get_tls_context(ca_file), find_proxy(base_url)
    proxy = (
        httpx.Proxy(found.url, ssl_context=tls if found.is_encrypted else None) if found else None
    )

    def open_connection() -> httpx.AsyncHTTPTransport:
        return httpx.AsyncHTTPTransport(
            verify=tls, proxy=proxy, trust_env=False, limits=httpx.Limits(max_connections=1)
        )

    return httpx.AsyncClient(
        base_url=base_url,
        transport=AvitoConnections(open_connection, max_bytes=_MAX_BODY_BYTES),
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
        raise _build_connection_error(error) from error


def _build_connection_error(error: httpx.RequestError) -> AvitoUnavailableError:
    """Build the error for a request without a response; the message names the setting."""
    if is_out_of_files(error):
        return AvitoUnavailableError(OUT_OF_FILES)
    if certificate := describe_certificate_fault(error):
        return AvitoUnavailableError(f"Авито: {certificate}; адрес — в AVITO_BASE_URL.")
    if isinstance(error, httpx.ProxyError):
        return AvitoUnavailableError(
            f"Прокси не пустил к Авито ({build_excerpt(str(error), 200)}): проверьте его адрес, имя"
            " и пароль в HTTPS_PROXY или ALL_PROXY."
        )
    return AvitoUnavailableError(
        f"Авито не отвечает ({type(error).__name__}): повторим позже сами; если так больше часа,"
        " проверьте AVITO_BASE_URL и доступ сервера в интернет."
    )


async def fetch_date_header(http: httpx.AsyncClient) -> str:
    """Return the ``Date`` header of a response of Avito, or "" if there is none."""
    try:
        response = await send(http, http.build_request("HEAD", "/"))
    except (AvitoUnavailableError, AvitoUnreadableError):
        return ""
    return str(response.headers.get("Date", ""))
