"""Reject a request with a body and without a valid key before the body is read."""

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.errors import answer_app_error
from app.api.security import TooManyAttemptsError, UnauthorizedError, check_key


class KeyBeforeBody:
    """Middleware that checks the key of each request to /api/ that has a body.

    FastAPI reads the body before it resolves the dependency that checks the key.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/api/"):
            request = Request(scope)
            try:
                if _has_body(request):
                    check_key(request, request.headers.get("X-API-Key"))
            except (UnauthorizedError, TooManyAttemptsError) as error:
                response = await answer_app_error(request, error)
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _has_body(request: Request) -> bool:
    headers = request.headers
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
