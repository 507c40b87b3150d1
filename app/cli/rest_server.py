"""Serves an open service over HTTP: on a port that was ours before, and with an end in which
everybody gets an answer.
"""

import asyncio
import errno
import logging
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import Any, cast

import uvicorn

from app.api.dependencies import attach_service
from app.cli.http_protocol import ConnectionLimits, HttpProtocol, error_body
from app.cli.open_files import limit_missing_file_warnings
from app.cli.seldom import SeldomRecords
from app.config import Settings
from app.errors import SettingsError
from app.jobs.worker import FINISH_SECONDS
from app.main import create_app
from app.service import Service

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

_GIVE_BACK_SECONDS = FINISH_SECONDS + 1.0
_HEAR_SECONDS, _SEND_SECONDS, _CLOSE_SECONDS = 1.5, 4.5, 0.25
"""At the end, at most: for the worker to give its runs back, for those who wait for these to hear
of it, for long answers to be sent (counted from the beginning), for connections to close. Eight
seconds in all, and then the database is closed: whoever stops a container waits ten.
"""
_BACKLOG, _ACCEPTED_AT_ONCE = 2048, 128
"""Connections that the kernel keeps for us, and those that asyncio accepts in one turn of the loop,
before any of them is counted.
"""
_UNPRIVILEGED = 1024
_ANY_HOST = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - said of an address, not bound


def listen(
    host: str, port: int, way_out: str, *, name: str = "PORT", apart: int = 1
) -> socket.socket:
    """A socket that listens on the address. What connects before there is a server on it waits.

    Raises:
        SettingsError: one line; ``name`` is where the port was set, ``way_out`` the command that
            avoids a taken one, by a free ``{port}`` at least so far ``apart``.
    """
    try:
        found = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError):
        raise SettingsError(
            f"HOST: адреса {host} нет; нужно 127.0.0.1, 0.0.0.0 или имя этой машины."
        ) from None
    family, kind, protocol, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
    # asyncio sets TCP_NODELAY only where the protocol is named; without it each answer waits 40 ms
    # for an ACK.
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise _unfit(
            error,
            host,
            f"{name}: порт {port}",
            way_out.format(port=_free_port(family, address, port + apart)),
        ) from None
    return listener


def _free_port(family: int, address: tuple[Any, ...], first: int) -> int:
    """The next port that anybody may open."""
    first = max(first, _UNPRIVILEGED)
    for port in range(first, min(first + 1000, 2**16)):
        with socket.socket(family, socket.SOCK_STREAM) as trial, suppress(OSError):
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((address[0], port, *address[2:]))
            return port
    return _UNPRIVILEGED


def _unfit(error: OSError, host: str, port: str, way_out: str) -> SettingsError:
    match error.errno:
        case errno.EADDRINUSE:
            return SettingsError(f"{port} занят; другой порт: {way_out}")
        case errno.EACCES:
            return SettingsError(f"{port} открывает только root; другой порт: {way_out}")
        case errno.EADDRNOTAVAIL:
            return SettingsError(
                f"HOST: у этой машины нет адреса {host}; нужно 127.0.0.1 или 0.0.0.0."
            )
        case _:
            return SettingsError(f"{port} на {host} не открыть ({error.strerror}).")


def base_url(settings: Settings) -> str:
    """The address under which a person on this machine reaches the service."""
    host = _ANY_HOST.get(
        settings.host, f"[{settings.host}]" if ":" in settings.host else settings.host
    )
    return f"http://{host}:{settings.port}"


@asynccontextmanager
async def serve_rest(
    service: Service,
    listener: socket.socket,
    worker: asyncio.Task[None],
    *,
    limits: ConnectionLimits = ConnectionLimits(),  # noqa: B008 - frozen
) -> AsyncIterator[asyncio.Task[None]]:
    """REST is served while the context lasts; yields the server's task, which ends by itself only
    if it fails.

    At the end no connection is taken any more and the worker is stopped first: it gives its runs
    back, so the calls that wait for them answer. Calls that wait for anything else are told that
    nobody waits with them any longer.
    """
    app = create_app(service.settings)
    attach_service(app, service)
    answers = _Answers(app)
    server = _Server(
        uvicorn.Config(
            answers,
            http=cast(
                "type[HttpProtocol]", partial(HttpProtocol, limits=limits)
            ),  # uvicorn only calls it
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            backlog=_ACCEPTED_AT_ONCE,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="rest")
    try:
        with limit_missing_file_warnings(), _seldom_warnings_of_uvicorn():
            yield serving
    finally:
        server.should_exit = True
        sent_by = time.monotonic() + _SEND_SECONDS
        worker.cancel()
        await asyncio.wait({worker}, timeout=_GIVE_BACK_SECONDS)
        await asyncio.wait({serving}, timeout=_HEAR_SECONDS)
        answers.break_off_waiting()
        await asyncio.wait({serving}, timeout=max(sent_by - time.monotonic(), _CLOSE_SECONDS))
        answers.break_off_all()
        server.force_exit = True
        await asyncio.wait({serving}, timeout=_CLOSE_SECONDS)


@contextmanager
def _seldom_warnings_of_uvicorn() -> Iterator[None]:
    """uvicorn logs a line for each request that is no HTTP or asks for an upgrade."""
    logger, seldom = logging.getLogger("uvicorn.error"), SeldomRecords()
    logger.addFilter(seldom)
    try:
        yield
    finally:
        logger.removeFilter(seldom)


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: they end the process by the signal, and the command
    means to end well.
    """

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listens; asyncio takes one number for what it accepts at once and for what the kernel
        keeps.
        """
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(_BACKLOG)


class _Answers:
    """The application, whose answers can be broken off: with a sentence before they have begun,
    without one later.
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
                await _say_stopping(send)
        finally:
            self._waiting.discard(task)
            self._sending.discard(task)

    def break_off_waiting(self) -> None:
        """Ends the requests that have no answer yet."""
        for task in list(self._waiting):
            task.cancel()

    def break_off_all(self) -> None:
        """Ends all of them."""
        for task in [*self._waiting, *self._sending]:
            task.cancel()


async def _say_stopping(send: Send) -> None:
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
