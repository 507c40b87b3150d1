"""Middleware of the REST application.

The prefix of a reverse proxy, the key before the body, HEAD, private responses.
"""

from collections.abc import Iterable

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.errors import answer_app_error
from app.api.security import TooManyAttemptsError, UnauthorizedError, check_key

_HEADERS_ONLY = "headers_only"
"""Key in the scope that marks a HEAD request."""


class WithoutRootPath:
    """Remove ROOT_PATH from the path of a request, unless the proxy has removed it.

    ROOT_PATH itself is redirected to ROOT_PATH/: the page there has relative references.
    """

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self._app = app
        self._root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path == self._root_path:
            query = scope["query_string"].decode("latin-1")
            address = f"{path}/{query and f'?{query}'}"
            await RedirectResponse(address, 308)(scope, receive, send)
            return
        if path.startswith(f"{self._root_path}/"):
            scope = {**scope, "path": path.removeprefix(self._root_path)}
        await self._app(scope, receive, send)


class KeyBeforeBody:
    """Check the key of each request to /api/ that has a body, before the body is read.

    FastAPI reads the body before it resolves the dependency that checks the key.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] == "http"
            and scope["path"].startswith("/api/")
            and _has_body(scope["headers"])
        ):
            request = Request(scope)
            try:
                check_key(request, request.headers.get("X-API-Key"))
            except (UnauthorizedError, TooManyAttemptsError) as error:
                response = await answer_app_error(request, error)
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _has_body(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in headers
    )


def wants_headers_only(request: HTTPConnection) -> bool:
    """Whether an endpoint may skip building its body.

    Headers that are known only after the body has been built may then be left out.
    """
    return _HEADERS_ONLY in request.scope


class _HeadersSentError(Exception):
    """Stops the endpoint of a HEAD request after the headers have been sent."""


class HeadAsGet:
    """Pass HEAD to the application as GET and drop the body (RFC 9110, 9.3.2).

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


class PrivateResponses:
    """Forbid storing of responses under /api/ by caches, and guessing of any type by browsers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        private = scope["path"].startswith("/api/")

        async def send_private(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                if private:
                    headers["Cache-Control"] = "no-store"
                    if "X-API-Key" not in headers.get("Vary", ""):
                        headers.add_vary_header("X-API-Key")
            await send(message)

        await self._app(scope, receive, send_private)
