"""Strict HTTP parsing.

h11 accepts some malformed requests. A proxy in front of the service may parse them differently and
see two requests in one (request smuggling).
"""

import re
from collections.abc import Iterable
from typing import Any

import h11
from h11._receivebuffer import ReceiveBuffer

MAX_CHUNKS = 1_000
"""Maximum number of chunks of one body; each costs as much time as a kilobyte."""
_LENGTHS = (bytearray(b"content-length"), bytearray(b"transfer-encoding"))
_LAX_LINES = re.compile(rb"(?<!\r)\n|\n[ \t]")


class _StrictLines(ReceiveBuffer):
    """h11's buffer without its tolerance of malformed lines."""

    def maybe_extract_lines(self) -> list[bytearray] | None:
        """Return the lines of a head.

        Raises:
            h11.RemoteProtocolError: a line ends in a bare LF or is folded, or the length of the
            body is given twice.
        """
        raw = bytes(self._data)
        lines = super().maybe_extract_lines()
        if lines:
            if _LAX_LINES.search(raw, 0, len(raw) - len(self._data)):
                raise h11.RemoteProtocolError("bare LF or folded header")
            _reject_conflicting_lengths(lines)
        return lines


def has_body(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Return whether a request with these headers (lower-case names) has a body (RFC 9112, 6)."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in headers
    )


def _reject_conflicting_lengths(lines: list[bytearray]) -> None:
    lengths = [line for line in lines[1:] if line.partition(b":")[0].strip().lower() in _LENGTHS]
    is_old = lines[0].rstrip().endswith(b"HTTP/1.0")
    if len(lengths) > 1 or any(
        b"," in line or (is_old and line.lower().startswith(b"t")) for line in lengths
    ):
        raise h11.RemoteProtocolError("more than one length")


class StrictConnection(h11.Connection):
    """h11's connection with strict lines and a limit on the chunks of a body.

    It pauses between the head and the body of a request.
    """

    def __init__(self, max_incomplete_event_size: int) -> None:
        super().__init__(h11.SERVER, max_incomplete_event_size)
        self._receive_buffer = _StrictLines()
        self._chunks = 0
        self.holds_body = False

    def release_body(self) -> None:
        """Let ``next_event`` parse the body of the current request."""
        self.holds_body = False

    def next_event(self) -> Any:
        """Return the next event; between a head and its body ``NEED_DATA`` until ``release_body``.

        Raises:
            h11.RemoteProtocolError: the data is not HTTP, or not accepted by this server.
        """
        if self.holds_body:
            return h11.NEED_DATA
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._chunks = 0
            self.holds_body = has_body(event.headers)
        elif isinstance(event, h11.Data) and event.chunk_start:
            self._chunks += 1
            if self._chunks > MAX_CHUNKS:
                raise h11.RemoteProtocolError("too many chunks")
        return event
