"""Requests by route and status: their number and their duration, for /metrics."""

import time

from prometheus_client import Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUESTS = Histogram(
    "avito_quality_http_request_duration_seconds",
    "From the request to the end of its response, by method, route and class of the status.",
    ["method", "route", "status"],
    # A POST responds when its run has ended.
    buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000),
    registry=None,
)
_API = "/api/v1"
_UNMATCHED = "unmatched"
"""No route: an unknown path, or a request that was refused before it was routed."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NOTE = "avito_quality.route"


def get_known_method(scope: Scope) -> str:
    """Return the method of a request, or ``other``: a client may send any word, also a secret."""
    method: str = scope["method"]
    return method if method in _METHODS else "other"


class MeasureRequests:
    """Observe each request when its response has been sent or has failed.

    Labels are bounded: the client chooses the method and the path, so only known methods and the
    templates of routes are labels.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_at, status, note = time.perf_counter(), 500, {"route": _UNMATCHED}

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app({**scope, _NOTE: note}, receive, send_noted)
        finally:
            labels = (get_known_method(scope), note["route"], f"{status // 100}xx")
            REQUESTS.labels(*labels).observe(time.perf_counter() - started_at)


class NoteRoute:
    """Note the route of a request for ``MeasureRequests``.

    It is the innermost middleware: the router writes the route into its scope, and the middleware
    between them may copy the scope.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        finally:
            route = getattr(scope.get("route"), "path", None)
            if isinstance(route, str) and _NOTE in scope:
                # The template does not have the prefix with which its router is included.
                prefix = _API if scope["path"].startswith(f"{_API}/") else ""
                scope[_NOTE]["route"] = prefix + route
