"""Headers that keep answers out of caches and of guesses at their type."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Vary": "X-API-Key"}
"""For everything that is given to the holder of a key, errors included."""


class PrivateAnswers:
    """Add ``PRIVATE`` to every answer under /api, and ``nosniff`` to all others."""

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
