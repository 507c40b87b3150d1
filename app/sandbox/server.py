"""Serve the sandbox in the running event loop: one HTTP server per ASGI app, and SMTP."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from app.sandbox.avito import LocalAvito
from app.sandbox.deepseek import LocalDeepSeek
from app.sandbox.faults import CUT_KEY
from app.sandbox.smtp import LocalSmtp

LOOPBACK = "127.0.0.1"


@asynccontextmanager
async def serve_app(app: ASGIApp, host: str = LOOPBACK, port: int = 0) -> AsyncIterator[str]:
    """Serve an app within the context and yield its base URL without a final slash.

    Port 0 takes a free port. At the end all open connections are broken. Raises OSError if the port
    is taken.
    """
    listener = _bind_listener(host, port)
    server = _EmbeddedServer(_ignore_cancellation(app))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await server.is_up.wait()
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        server.must_stop.set()
        server.abort_connections()
        await serving


def _bind_listener(host: str, port: int) -> socket.socket:
    """Create a bound socket with an explicit protocol.

    asyncio sets TCP_NODELAY only if the protocol is named. Without it each response waits 40 ms for
    an ACK.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


class _EmbeddedServer(uvicorn.Server):
    """uvicorn in an existing event loop.

    It has no signal handlers and no polling, and can break one connection or all.
    """

    def __init__(self, app: ASGIApp) -> None:
        # log_config=None: the host process configures logging.
        config = uvicorn.Config(
            self._add_cut(app),
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            date_header=False,
        )
        super().__init__(config)
        self.is_up = asyncio.Event()
        self.must_stop = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        self.is_up.set()
        await self.must_stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the listeners.

        uvicorn's own method waits a tenth of a second for connections to close; here they are
        already broken.
        """
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        await asyncio.gather(*self.server_state.tasks, return_exceptions=True)

    def abort_connections(self, client: tuple[str, int] | None = None) -> None:
        """Break the connection of one client (host and port), or all connections.

        The latter also cancels pending responses.
        """
        for connection in list(self.server_state.connections):
            if isinstance(connection, H11Protocol) and client in (None, connection.client):
                connection.transport.abort()
        if client is None:
            for answering in list(self.server_state.tasks):
                answering.cancel()

    def _add_cut(self, app: ASGIApp) -> ASGIApp:
        async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
            scope[CUT_KEY] = partial(self.abort_connections, scope["client"])
            await app(scope, receive, send)

        return wrapped


def _ignore_cancellation(app: ASGIApp) -> ASGIApp:
    """Wrap an app so that a cancelled response is not reported as a failure of the app."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except asyncio.CancelledError:
            return

    return wrapped


class Sandbox:
    """The three local servers on free or given ports, as an async context manager.

    - `now`: the moment from which the times of the dialogues are counted back.
    - `accounts`: with 2, the dialogues are dealt out over two Avito accounts.
    - `mail_folder`: if given, mails are also written there as .eml files.
    """

    def __init__(
        self,
        *,
        now: datetime | None = None,
        accounts: int = 1,
        avito: LocalAvito | None = None,
        host: str = LOOPBACK,
        avito_port: int = 0,
        deepseek_port: int = 0,
        smtp_port: int = 0,
        mail_folder: Path | None = None,
    ) -> None:
        self.avito = avito or LocalAvito.from_catalogue(now or datetime.now(UTC), accounts=accounts)
        self.deepseek = LocalDeepSeek()
        self.smtp = LocalSmtp(mail_folder=mail_folder)
        self.host = host
        self.avito_url = self.deepseek_url = ""
        self.smtp_port = smtp_port
        self._avito_port = avito_port
        self._deepseek_port = deepseek_port
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        # Closes what is already open if a later port is taken.
        async with AsyncExitStack() as opened:
            self.avito_url = await opened.enter_async_context(
                serve_app(self.avito.app, self.host, self._avito_port)
            )
            self.deepseek_url = await opened.enter_async_context(
                serve_app(self.deepseek.app, self.host, self._deepseek_port)
            )
            opened.push_async_callback(self.smtp.stop)
            self.smtp_port = await self.smtp.start(self.host, self.smtp_port)
            self._open = opened.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._open.aclose()

    def environment(self) -> dict[str, str]:
        """Settings that connect a service to this sandbox."""
        return {
            **self._avito_credentials(),
            "AVITO_BASE_URL": self.avito_url,
            "DEEPSEEK_BASE_URL": self.deepseek_url,
            "DEEPSEEK_API_KEY": self.deepseek.api_key,
            "SMTP_HOST": self.host,
            "SMTP_PORT": str(self.smtp_port),
            "SMTP_SECURITY": "none",
        }

    def _avito_credentials(self) -> dict[str, str]:
        accounts = self.avito.accounts
        if len(accounts) == 1:
            return {
                "AVITO_CLIENT_ID": accounts[0].client_id,
                "AVITO_CLIENT_SECRET": accounts[0].client_secret,
            }
        fields = ("name", "client_id", "client_secret")
        return {
            "AVITO_ACCOUNTS": json.dumps(
                [{name: getattr(account, name) for name in fields} for account in accounts],
                ensure_ascii=False,
            )
        }
