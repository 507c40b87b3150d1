"""How a connection is read: addresses as people type them, and an answer in our words to what cannot be read as HTTP."""

import json
import re

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
    """uvicorn's, which refuses the raw letters that curl puts into an address as they were typed, and refuses in plain English."""

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
