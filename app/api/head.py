"""Support of HEAD for every GET endpoint: same status and headers, no body is built."""

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS_ONLY = "headers_only"
"""Key in the scope that marks a HEAD request."""


def wants_headers_only(request: HTTPConnection) -> bool:
    """Whether an endpoint may skip building its body.

    Headers that are known only after the body has been built may then be left out.
    """
    return _HEADERS_ONLY in request.scope


class _HeadersSentError(Exception):
    """Stops the endpoint of a HEAD request after the headers have been sent."""


class HeadAsGet:
    """Middleware that passes HEAD to the application as GET and drops the body (RFC 9110, 9.3.2).

    A GET route of FastAPI does not accept HEAD.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_headers(message: Message) -> None:
            await send(message)
            await send({"type": "http.response.body"})
            raise _HeadersSentError

        try:
            await self._app({**scope, "method": "GET", _HEADERS_ONLY: True}, receive, send_headers)
        except _HeadersSentError:
            return
