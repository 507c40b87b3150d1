"""Taps of a replica's proxies.

They detect the step it works on, its Postgres backends, each mail and the reply to its final dot.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from tests.chaos.proxies import Way, Wire

_DOT = b"\r\n.\r\n"
_MESSAGE_ID = re.compile(rb"^Message-ID:\s*(\S+)", re.IGNORECASE | re.MULTILINE)


class Step(StrEnum):
    """A moment of a replica's work that a fault can wait for."""

    SYNC = "sync"
    GRADE = "grade"
    GRADED = "graded"
    """The model has answered; the replica has not received it yet."""
    MAIL = "mail"
    BEFORE_DOT = "before the dot"
    AFTER_DOT = "after the dot"
    """The mail server has replied to the final dot; the replica has not received it yet."""
    ACKNOWLEDGED = "acknowledged"
    """The replica receives the reply."""
    QUERY = "query"


@dataclass(eq=False)
class Conversation:
    """One mail in transit from a replica to the mail server. Moments are monotonic."""

    replica: str
    message_id: str = ""
    dot_at: float | None = None
    answered_at: float | None = None
    """When the server's reply to the final dot was forwarded to the replica."""
    accepted: bool | None = None
    ended_at: float | None = None
    ended_by_replica: bool = False
    """The replica closed the connection first: by itself, or because it was killed."""
    head: bytes = b""


@dataclass
class Trap:
    """A fault that waits for the ``after``-th time of a step.

    If ``spring`` returns False, the chunk is dropped.
    """

    step: Step
    after: int
    spring: Callable[[], bool]


@dataclass
class Taps:
    """Taps of one replica's proxies, and its traps."""

    replica: str
    traps: list[Trap] = field(default_factory=list)
    conversations: list[Conversation] = field(default_factory=list)
    answer_delay_seconds: float = 0.0
    """Delay of the mail server's reply to the final dot."""
    _sessions: dict[Wire, "_SmtpSession"] = field(default_factory=dict)

    def _spring_traps(self, step: Step) -> bool:
        """Spring the traps of this step; return whether the chunk is forwarded."""
        passes = True
        for trap in [trap for trap in self.traps if trap.step is step]:
            trap.after -= 1
            if trap.after <= 0:
                self.traps.remove(trap)
                passes = trap.spring() and passes
        return passes

    def avito(self, wire: Wire, way: Way, chunk: bytes) -> bool:
        """Handle Avito's traffic: a request is a step of a sync."""
        return self._spring_traps(Step.SYNC) if way is Way.UP else True

    def deepseek(self, wire: Wire, way: Way, chunk: bytes) -> bool:
        """Handle DeepSeek's traffic: completion requests and their answers."""
        if way is Way.UP:
            return self._spring_traps(Step.GRADE) if chunk.startswith(b"POST") else True
        return self._spring_traps(Step.GRADED) if chunk.startswith(b"HTTP/1.1 200") else True

    def postgres(self, wire: Wire, way: Way, chunk: bytes) -> bool:
        """Handle Postgres's traffic: queries, and the backend's key after the login."""
        if way is Way.DOWN and wire.backend is None:
            wire.backend = _parse_backend(chunk)
        return self._spring_traps(Step.QUERY) if way is Way.UP else True

    def smtp(self, wire: Wire, way: Way, chunk: bytes) -> bool:
        """Handle SMTP traffic: recipients, data, the final dot and its reply."""
        session = self._sessions.setdefault(wire, _SmtpSession(self))
        return (
            session.handle_client(wire, chunk)
            if way is Way.UP
            else session.handle_server(wire, chunk)
        )

    def smtp_ended(self, wire: Wire, way: Way) -> None:
        """Handle the end of a mail's connection."""
        session = self._sessions.pop(wire, None)
        if session is not None:
            session.end(by_replica=way is Way.UP)

    def check(self, step: Step) -> bool:
        """Reach a step of a mail; return whether the chunk is forwarded."""
        return self._spring_traps(step)


class _SmtpSession:
    """The state of one SMTP connection."""

    def __init__(self, taps: Taps) -> None:
        self._taps = taps
        self._mail: Conversation | None = None
        self._in_data = False
        self._tail = b""

    def handle_client(self, wire: Wire, chunk: bytes) -> bool:
        if self._in_data:
            return self._handle_data(wire, chunk)
        word = chunk[:4].upper()
        if word == b"RCPT" and not self._taps.check(Step.MAIL):
            return False
        if word == b"DATA":
            self._mail = Conversation(self._taps.replica)
            self._taps.conversations.append(self._mail)
        return True

    def end(self, *, by_replica: bool) -> None:
        if self._mail is not None and self._mail.ended_at is None:
            self._mail.ended_at, self._mail.ended_by_replica = time.monotonic(), by_replica

    def _handle_data(self, wire: Wire, chunk: bytes) -> bool:
        assert self._mail is not None
        if not self._mail.message_id:
            self._mail.head += chunk
            found = _MESSAGE_ID.search(self._mail.head)
            self._mail.message_id = found[1].decode() if found else ""
        self._tail = (self._tail + chunk)[-len(_DOT) :]
        if self._tail == _DOT:
            self._mail.head = b""
            if not self._taps.check(Step.BEFORE_DOT):
                return False
            self._in_data, self._mail.dot_at = False, time.monotonic()
            wire.delay_seconds = self._taps.answer_delay_seconds
        return True

    def handle_server(self, wire: Wire, chunk: bytes) -> bool:
        if self._mail is None:
            return True
        if chunk.startswith(b"354"):
            self._in_data = True
        elif self._mail.dot_at is not None and self._mail.answered_at is None:
            wire.delay_seconds = 0.0
            if not self._taps.check(Step.AFTER_DOT):
                return False
            self._mail.answered_at, self._mail.accepted = time.monotonic(), chunk.startswith(b"250")
            return self._taps.check(Step.ACKNOWLEDGED)
        return True


def _parse_backend(chunk: bytes) -> int | None:
    """Return the pid in a BackendKeyData message, if the chunk has one.

    All messages of the login arrive whole.
    """
    place = 0
    while place + 5 <= len(chunk):
        kind, length = chunk[place : place + 1], int.from_bytes(chunk[place + 1 : place + 5], "big")
        if kind == b"K":
            return int.from_bytes(chunk[place + 5 : place + 9], "big")
        place += 1 + length
    return None
