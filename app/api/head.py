"""HEAD wherever GET is: the same status and headers, and nothing made of the body."""

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS_ONLY = "headers_only"
"""Marks a request in its scope."""


def wants_headers_only(request: HTTPConnection) -> bool:
    """Whether a body that has to be made before its first byte need not be made: headers that only
    its making tells may be left out.
    """
    return _HEADERS_ONLY in request.scope


class _HeadersSentError(Exception):
    """Whoever asked with HEAD has all of the answer: leaves the endpoint where it would go on to
    the body.
    """


class HeadAsGet:
    """Has the application answer a HEAD as a GET, up to the body (RFC 9110, 9.3.2). To FastAPI a
    GET is a GET alone.
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
