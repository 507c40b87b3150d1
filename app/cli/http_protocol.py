"""How a connection is read and ended: addresses as people type them, our words for what is no HTTP,
no part that looks like the whole, and no client that keeps it waiting.
"""

import asyncio
import json
import re
import socket
import struct
from dataclasses import dataclass
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from app.cli.open_files import MOST_CONNECTIONS, most_connections
from app.cli.seldom import SeldomWarning
from app.cli.strict_http import StrictConnection

_RAW = re.compile(rb"[\x80-\xff]")
_UNREADABLE = (
    "Запрос не разобрать как HTTP: пробелы и русские буквы в адресе запишите через проценты (curl"
    " -G --data-urlencode), слишком длинный адрес сократите."
)
_TOO_SLOW = "Запрос не пришёл целиком за отведённое время: повторите его."
_REASONS = {400: b"Bad Request", 408: b"Request Timeout"}
_refused = SeldomWarning("rest.connections_refused")


def error_body(message: str) -> bytes:
    """The one body of errors, for where no application makes it."""
    return json.dumps(
        {"status": "error", "message": message}, ensure_ascii=False, separators=(",", ":")
    ).encode()


@dataclass(frozen=True)
class ConnectionLimits:
    """Limits of the clients' connections: how many at a time, and seconds in which a client has to
    send or to take something.

    ``head_seconds`` count from the connection, or the last answer, to the end of a request's head,
    ``body_seconds`` from there to the end of its body. ``stall_seconds``: how long a client may
    take nothing of an answer. A run in between takes as long as it needs.
    """

    connections: int = MOST_CONNECTIONS
    head_seconds: float = 20.0
    body_seconds: float = 30.0
    stall_seconds: float = 60.0


class HttpProtocol(H11Protocol):
    """uvicorn's, which refuses the raw letters that curl puts into an address as they were typed,
    and refuses in plain English.

    It also waits for a request without end, and takes as many connections as come.

    An answer to HTTP/1.0 without a Content-Length ends with its connection. If it breaks off, the
    connection is reset: uvicorn's clean close would present the part as the whole, as it did to
    nginx, whose ``proxy_pass`` uses HTTP/1.0 by default. Chunks of HTTP/1.1 need no reset, because
    their end is marked.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        limits: ConnectionLimits = ConnectionLimits(),
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits = limits
        self.conn: StrictConnection = StrictConnection(
            config.h11_max_incomplete_event_size or 16 * 1024
        )
        self._awaited: object = None
        self._deadline: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None
        self._application = self.app
        self.app = self._answer_visibly

    async def _answer_visibly(self, scope: Any, receive: Any, send: Any) -> None:
        cycle = self.cycle  # of this request: while it is answered no other begins
        try:
            await self._application(scope, receive, send)
        finally:
            if (
                cycle.response_started
                and not cycle.response_complete
                and self.conn.their_http_version == b"1.0"
            ):
                self._reset()

    def _reset(self) -> None:
        self.transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Takes the connection, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > most_connections(self._limits.connections):
            _refused()
            transport.abort()
        else:
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end: nothing is waited for any more."""
        super().connection_lost(exc)
        for timer in (self._deadline, self._stall):
            if timer is not None:
                timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Takes what has come; raw bytes of an address mean the same as their percent-encoding."""
        # A request that is sent ahead of the last one's answer is not looked into: h11 refuses it,
        # in our words.
        in_first_line = (
            self.conn.their_state is h11.IDLE and b"\n" not in self.conn.trailing_data[0]
        )
        if in_first_line and not data.isascii():
            line, end, rest = data.partition(b"\n")
            data = _RAW.sub(lambda raw: b"%%%02X" % ord(raw[0]), line) + end + rest
        super().data_received(data)
        self._watch()

    def handle_events(self) -> None:
        """Handle what has been received. The body of a request is parsed one iteration of the loop
        after its head.

        By then the application has checked the key: its middleware refuses a request with a body
        before its first ``await`` that waits.
        """
        super().handle_events()
        if self.conn.holds_body:
            self.loop.call_soon(self._handle_body)

    def _handle_body(self) -> None:
        if self.conn.holds_body and not self.transport.is_closing():
            self.conn.release_body()
            self.handle_events()
            self._watch()

    def on_response_complete(self) -> None:
        """The answer is sent: the next request may come."""
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        """The client is behind with its reading."""
        super().pause_writing()
        self._stall = self.loop.call_later(self._limits.stall_seconds, self._reset)

    def resume_writing(self) -> None:
        """It has caught up."""
        super().resume_writing()
        if self._stall is not None:
            self._stall.cancel()

    def send_400_response(self, msg: str) -> None:
        """Answers what is no HTTP; ``msg`` is English and always the same."""
        self._refuse(400, _UNREADABLE)

    def _watch(self) -> None:
        """Sets the time for what the client is to send, once for each part: a byte now and then
        gains it nothing.
        """
        state = self.conn.their_state
        if state is self._awaited:
            return
        self._awaited = state
        if self._deadline is not None:
            self._deadline.cancel()
        seconds = {
            h11.IDLE: self._limits.head_seconds,
            h11.SEND_BODY: self._limits.body_seconds,
        }.get(state)
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self._time_out)

    def _time_out(self) -> None:
        if self.conn.their_state is h11.SEND_BODY or self.conn.trailing_data[0]:
            self._refuse(408, _TOO_SLOW)
        if self.transport.get_write_buffer_size():
            self.transport.abort()  # it does not read either
        else:
            self.transport.close()

    def _refuse(self, status: int, message: str) -> None:
        """Answers in place of the application, if that has not begun to; either way the connection
        ends.
        """
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = error_body(message)
            headers = [
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(body))),
                ("Connection", "close"),
            ]
            response = h11.Response(status_code=status, headers=headers, reason=_REASONS[status])
            for event in (response, h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
