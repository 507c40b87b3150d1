"""HTTP connections of the server: raw letters in URLs, Russian error bodies, time limits.

A truncated response is recognizable as truncated.
"""

import asyncio
import json
import re
import socket
import struct
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from app.cli.open_files import MAX_CONNECTIONS, get_max_connections
from app.cli.rate_limited_logs import SeldomWarning
from app.cli.strict_http import StrictConnection

_NON_ASCII = re.compile(rb"[\x80-\xff]")
_UNREADABLE = (
    "Запрос не разобрать как HTTP: пробелы и русские буквы в адресе запишите через проценты (curl"
    " -G --data-urlencode), слишком длинный адрес сократите."
)
_TOO_SLOW = "Запрос не пришёл целиком за отведённое время: повторите его."
_REASONS = {400: b"Bad Request", 408: b"Request Timeout"}
_warn_rejected = SeldomWarning("rest.connections_refused")


def error_body(message: str) -> bytes:
    """Return the common error body, for responses without the application."""
    return json.dumps(
        {"status": "error", "message": message}, ensure_ascii=False, separators=(",", ":")
    ).encode()


@dataclass(frozen=True)
class ConnectionLimits:
    """Limits of client connections: their number, and seconds to send or receive data.

    - ``head_seconds``: from the connection, or the last response, to the end of a request's head.
    - ``body_seconds``: from there to the end of the request's body.
    - ``stall_seconds``: how long a client may read nothing of a response.

    The execution of a request has no limit here.
    """

    connections: int = MAX_CONNECTIONS
    head_seconds: float = 20.0
    body_seconds: float = 30.0
    stall_seconds: float = 60.0


class HttpProtocol(H11Protocol):
    """uvicorn's protocol with Russian error bodies, time limits and a limit on connections.

    uvicorn rejects raw non-ASCII letters in a URL, which curl sends as they were typed, and
    responds in plain English. It waits for a request without a time limit and accepts any number of
    connections.

    A response to HTTP/1.0 without a Content-Length ends when the connection closes. If such a
    response breaks off, the connection is reset. With uvicorn's clean close the client would take
    the part for the whole; nginx did, whose ``proxy_pass`` uses HTTP/1.0 by default. Chunked
    responses of HTTP/1.1 need no reset: their end is marked.
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
        self._timed_state: object = None
        self._deadline: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None
        self._application = self.app
        self.app = self._run_application

    async def _run_application(self, scope: Any, receive: Any, send: Any) -> None:
        cycle = self.cycle  # of this request: no other request starts before its response ends
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
        """Accept the connection, or abort it if the limit is reached."""
        super().connection_made(transport)
        if len(self.connections) > get_max_connections(self._limits.connections):
            _warn_rejected()
            transport.abort()
        else:
            self._set_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timers."""
        super().connection_lost(exc)
        for timer in (self._deadline, self._stall_timer):
            if timer is not None:
                timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Handle received data; raw bytes in the URL are percent-encoded first."""
        # A pipelined request is not encoded: if it has raw bytes, h11 rejects it.
        in_first_line = (
            self.conn.their_state is h11.IDLE and b"\n" not in self.conn.trailing_data[0]
        )
        if in_first_line and not data.isascii():
            line, end, rest = data.partition(b"\n")
            data = _NON_ASCII.sub(lambda raw: b"%%%02X" % ord(raw[0]), line) + end + rest
        super().data_received(data)
        self._set_deadline()

    def handle_events(self) -> None:
        """Parse received data. A request's body is parsed one loop iteration after its head.

        By then the middleware has checked the key: it rejects a request with a body before its
        first suspending ``await``.
        """
        date = formatdate(usegmt=True).encode()
        self.server_state.default_headers = [(b"date", date), *self.config.encoded_headers]
        super().handle_events()
        if self.conn.holds_body:
            self.loop.call_soon(self._handle_body)

    def _handle_body(self) -> None:
        if self.conn.holds_body and not self.transport.is_closing():
            self.conn.release_body()
            self.handle_events()
            self._set_deadline()

    def on_response_complete(self) -> None:
        """Start the time limit of the next request."""
        super().on_response_complete()
        self._set_deadline()

    def pause_writing(self) -> None:
        """Start the stall timer: the client reads too slowly."""
        super().pause_writing()
        self._stall_timer = self.loop.call_later(self._limits.stall_seconds, self._reset)

    def resume_writing(self) -> None:
        """Cancel the stall timer."""
        super().resume_writing()
        if self._stall_timer is not None:
            self._stall_timer.cancel()

    def send_400_response(self, msg: str) -> None:
        """Respond to invalid HTTP; ``msg`` is English and always the same, so it is not used."""
        self._send_error(400, _UNREADABLE)

    def _set_deadline(self) -> None:
        """Set the time limit of the part that the client has to send, once for each part.

        Single bytes do not extend it.
        """
        state = self.conn.their_state
        if state is self._timed_state:
            return
        self._timed_state = state
        if self._deadline is not None:
            self._deadline.cancel()
        seconds = {
            h11.IDLE: self._limits.head_seconds,
            h11.SEND_BODY: self._limits.body_seconds,
        }.get(state)
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self._time_out)

    def _time_out(self) -> None:
        if self.conn.their_state is h11.SEND_BODY or self.conn.trailing_data[0]:
            self._send_error(408, _TOO_SLOW)
        if self.transport.get_write_buffer_size():
            self.transport.abort()  # the client does not read either
        else:
            self.transport.close()

    def _send_error(self, status: int, message: str) -> None:
        """Send an error response, unless the application has started one; close the connection."""
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
