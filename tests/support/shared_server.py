"""A local server that serves the app of the current test."""

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send


class SharedServer:
    """A server of the whole session with an app per test.

    Starting a server takes a tenth of a second.
    """

    url: str
    http: httpx.AsyncClient
    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)
