"""HEAD wherever GET is: the same status and headers, and nothing made of the body beyond its first piece."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class _HeadersSentError(Exception):
    """Whoever asked with HEAD has all of the answer: leaves the endpoint where it would send the body."""


class HeadAsGet:
    """Has the application answer a HEAD as a GET, up to the body (RFC 9110, 9.3.2). To FastAPI a GET is a GET alone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_headers(message: Message) -> None:
            if message["type"] != "http.response.start":
                raise _HeadersSentError
            await send(message)
            await send({"type": "http.response.body"})

        try:
            await self._app({**scope, "method": "GET"}, receive, send_headers)
        except _HeadersSentError:
            return
