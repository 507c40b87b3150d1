"""Serve an open service over HTTP. At the end every request gets a response."""

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from ipaddress import ip_network
from typing import Any, cast

import uvicorn

from app.api.dependencies import attach_service
from app.cli.http_protocol import ConnectionLimits, HttpProtocol, error_body
from app.cli.listening import BACKLOG
from app.cli.open_files import limit_missing_file_warnings
from app.cli.rate_limited_logs import SeldomRecords
from app.jobs.worker import FINISH_SECONDS
from app.main import create_app
from app.service import Service

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

_GIVE_BACK_SECONDS = FINISH_SECONDS + 1.0
_RESPOND_SECONDS, _SEND_SECONDS, _CLOSE_SECONDS = 1.5, 4.5, 0.25
"""Time limits of the parts of a stop, eight seconds in all.

The worker gives its runs back; calls that wait for these runs respond; long responses are sent
(counted from the start of the stop); connections close. Then the database is closed. A container
has ten seconds for the whole stop.
"""
_ACCEPTED_AT_ONCE = 128
"""Connections that asyncio accepts in one iteration of the event loop.

The connections of one iteration are accepted before any of them is counted.
"""


@asynccontextmanager
async def serve_rest(
    service: Service,
    listener: socket.socket,
    worker: asyncio.Task[None],
    *,
    limits: ConnectionLimits = ConnectionLimits(),  # noqa: B008 - frozen
) -> AsyncIterator[asyncio.Task[None]]:
    """Serve REST while the context is open; yield the server's task, which ends only if it fails.

    At the end no connection is accepted, and the worker is stopped first: it gives its runs back,
    so the calls that wait for them respond. Other waiting calls get an error that the service is
    stopping.
    """
    app = create_app(service.settings)
    attach_service(app, service)
    responses = _Responses(app)
    server = _create_server(responses, limits, service.settings.forwarded_allow_ips)
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="rest")
    try:
        with limit_missing_file_warnings(), _limit_uvicorn_warnings():
            yield serving
    finally:
        await _stop_serving(server, serving, worker, responses)


def _create_server(
    responses: "_Responses", limits: ConnectionLimits, allowed_proxies: str
) -> "_Server":
    return _Server(
        uvicorn.Config(
            responses,
            http=cast(
                "type[HttpProtocol]", partial(HttpProtocol, limits=limits)
            ),  # uvicorn only calls it
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            forwarded_allow_ips=_add_mapped_addresses(allowed_proxies),
            backlog=_ACCEPTED_AT_ONCE,
        )
    )


def _add_mapped_addresses(proxies: str) -> list[str]:
    """Return the networks, and those of IPv4 also as the IPv6 addresses that ``HOST=::`` sees."""
    networks = proxies.split(",")
    mapped = [ip_network(one) for one in networks if one != "*"]
    return networks + [
        f"::ffff:{one.network_address}/{96 + one.prefixlen}" for one in mapped if one.version == 4
    ]


async def _stop_serving(
    server: "_Server",
    serving: asyncio.Task[None],
    worker: asyncio.Task[None],
    responses: "_Responses",
) -> None:
    server.stop()
    sent_by = time.monotonic() + _SEND_SECONDS
    worker.cancel()
    await asyncio.wait({worker}, timeout=_GIVE_BACK_SECONDS)
    await asyncio.wait({serving}, timeout=_RESPOND_SECONDS)
    responses.abort_waiting()
    await asyncio.wait({serving}, timeout=max(sent_by - time.monotonic(), _CLOSE_SECONDS))
    responses.abort_all()
    server.force_exit = True
    await asyncio.wait({serving}, timeout=_CLOSE_SECONDS)


@contextmanager
def _limit_uvicorn_warnings() -> Iterator[None]:
    """Limit uvicorn's warnings: it logs each request that is not HTTP or asks for an upgrade."""
    logger, seldom = logging.getLogger("uvicorn.error"), SeldomRecords()
    logger.addFilter(seldom)
    try:
        yield
    finally:
        logger.removeFilter(seldom)


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, which would end the process by the signal.

    It waits for its stop. uvicorn's own loop wakes up ten times a second to look for it and to set
    the date of responses, which ``HttpProtocol`` does here.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Accept no more connections, and finish the open ones."""
        self.should_exit = True
        self._stopped.set()

    async def main_loop(self) -> None:
        """Wait for ``stop``."""
        await self._stopped.wait()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen with the full backlog.

        asyncio uses one number for the backlog and for the connections accepted at once.
        """
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(BACKLOG)


class _Responses:
    """The application with responses that can be aborted.

    Before a response has begun, the client gets an error body; later the response is cut off.
    """

    def __init__(self, app: Application) -> None:
        self._app = app
        self._waiting: set[asyncio.Task[Any]] = set()
        self._sending: set[asyncio.Task[Any]] = set()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - uvicorn runs every request in a task
        self._waiting.add(task)

        async def send_on(message: Message) -> None:
            if task in self._waiting:
                self._waiting.remove(task)
                self._sending.add(task)
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        except asyncio.CancelledError:
            if task in self._waiting:
                await _send_stopping(send)
        finally:
            self._waiting.discard(task)
            self._sending.discard(task)

    def abort_waiting(self) -> None:
        """End the requests without a response."""
        for task in list(self._waiting):
            task.cancel()

    def abort_all(self) -> None:
        """End all requests."""
        for task in [*self._waiting, *self._sending]:
            task.cancel()


async def _send_stopping(send: Send) -> None:
    words = (
        "Служба останавливается и не дождалась конца: что сделано, сохранено; повторите вызов"
        " позже."
    )
    body = error_body(words)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": body})
