"""How a connection is read and ended: addresses as people type them, our words for what is no HTTP, no part that looks like the whole."""

import json
import re
import socket
import struct
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

_RAW = re.compile(rb"[\x80-\xff]")
_UNREADABLE = (
    "Запрос не разобрать как HTTP: пробелы и русские буквы в адресе запишите через проценты (curl -G --data-urlencode), "
    "слишком длинный адрес сократите."
)


def error_body(message: str) -> bytes:
    """The one body of errors, for where no application makes it."""
    return json.dumps({"status": "error", "message": message}, ensure_ascii=False, separators=(",", ":")).encode()


class HttpProtocol(H11Protocol):
    """uvicorn's, which refuses the raw letters that curl puts into an address as they were typed, and refuses in plain English.

    An answer to HTTP/1.0 without a Content-Length ends with its connection. If it breaks off, the connection is reset: uvicorn's clean
    close would present the part as the whole, as it did to nginx, whose ``proxy_pass`` uses HTTP/1.0 by default. Chunks of HTTP/1.1 need
    no reset, because their end is marked.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._application = self.app
        self.app = self._answer_visibly

    async def _answer_visibly(self, scope: Any, receive: Any, send: Any) -> None:
        cycle = self.cycle  # of this request: while it is answered no other begins
        try:
            await self._application(scope, receive, send)
        finally:
            if cycle.response_started and not cycle.response_complete and self.conn.their_http_version == b"1.0":
                self._reset()

    def _reset(self) -> None:
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Takes what has come; raw bytes of an address mean the same as their percent-encoding."""
        # A request that is sent ahead of the last one's answer is not looked into: h11 refuses it, in our words.
        in_first_line = self.conn.their_state is h11.IDLE and b"\n" not in self.conn.trailing_data[0]
        if in_first_line and not data.isascii():
            line, end, rest = data.partition(b"\n")
            data = _RAW.sub(lambda raw: b"%%%02X" % ord(raw[0]), line) + end + rest
        super().data_received(data)

    def send_400_response(self, msg: str) -> None:
        """Answers what is no HTTP; ``msg`` is English and always the same."""
        body = error_body(_UNREADABLE)
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Connection", "close")]
        for event in (h11.Response(status_code=400, headers=headers, reason=b"Bad Request"), h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
