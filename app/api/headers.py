"""Headers against caching and content-type sniffing of responses."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Vary": "X-API-Key"}
"""Headers of every response that requires a key, errors included."""


class PrivateAnswers:
    """Middleware that adds ``PRIVATE`` to responses under /api/ and ``nosniff`` to all others."""

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
