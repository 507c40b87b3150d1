"""The mails that the mail server accepted, each with the end of its session."""

import hashlib
import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from enum import StrEnum
from io import BytesIO

from python_calamine import CalamineWorkbook

from tests.chaos.replicas import Ledger
from tests.chaos.taps import Conversation
from tests.chaos.world import World

_RECORDING_SECONDS = 5.0
"""Seconds after the server's reply within which the delivery may be unrecorded.

A kill or freeze in this time leaves the result in doubt.
"""


_TRANSIT_SECONDS = 0.5
"""Seconds between the replica's write of the final dot and the proxy's receipt.

A replica killed or frozen in this time has already written the dot.
"""


class Fate(StrEnum):
    """End of the session of an accepted mail; only some of these permit the same mail again."""

    ACKNOWLEDGED = "the replica was told that it arrived"
    CUT = "the connection ended after the final dot"
    KILLED = "the replica was killed after the final dot"
    FROZEN = "the replica was frozen after the final dot"
    GIVEN_UP = "the replica gave up waiting for the answer"
    UNKNOWN = "no conversation was seen"


@dataclass(frozen=True)
class Arrival:
    """A mail that the mail server accepted."""

    recipient: str
    message_id: str
    print: str
    printed: tuple[int, ...] | None
    """N and the four numbers that must add up to N."""
    reports: frozenset[int]
    """The ids of the reports in its sheet."""
    fate: Fate


def list_arrivals(world: World) -> list[Arrival]:
    """Return the mails in order of arrival, each with the end of its session."""
    ledgers = {replica.name: replica.ledger for replica in world.replicas}
    sessions = [
        session
        for replica in world.replicas
        for session in replica.taps.conversations
        if session.dot_at is not None and session.accepted is not False
    ]
    sessions.sort(key=lambda session: session.dot_at or 0)
    arrivals = []
    for mail in world.sandbox.smtp.messages:
        message = message_from_bytes(mail.data, policy=policy.default)
        assert isinstance(message, EmailMessage)
        message_id = str(message["Message-ID"])
        session = next((session for session in sessions if session.message_id == message_id), None)
        if session is not None:
            sessions.remove(session)
        fate = find_fate(session, ledgers[session.replica]) if session is not None else Fate.UNKNOWN
        arrivals.append(
            Arrival(
                mail.recipients[0],
                message_id,
                hashlib.sha256(mail.data).hexdigest(),
                parse_printed_numbers(message),
                list_sheet_reports(message),
                fate,
            )
        )
    return arrivals


def list_sheet_reports(message: EmailMessage) -> frozenset[int]:
    """Return the ids of the reports in a mail's sheet; empty without a sheet."""
    for part in message.iter_attachments():
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        rows = CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0).to_python()
        if "id" in rows[0]:
            column = rows[0].index("id")
            return frozenset(
                int(number) for row in rows[1:] if isinstance(number := row[column], int | float)
            )
    return frozenset()


def find_fate(session: Conversation, ledger: Ledger) -> Fate:
    """Return whether the replica learned, or could not learn, that the mail was accepted."""
    assert session.dot_at is not None
    since = session.dot_at - _TRANSIT_SECONDS
    until = (session.answered_at or session.ended_at or session.dot_at) + _RECORDING_SECONDS
    if any(since <= at <= until for at in ledger.kills):
        return Fate.KILLED
    if any(since <= start <= until for start, _ in ledger.freezes):
        return Fate.FROZEN
    if session.answered_at is not None:
        return Fate.ACKNOWLEDGED
    return Fate.GIVEN_UP if session.ended_by_replica else Fate.CUT


_NUMBERS = re.compile(
    r"Чатов:\s*([\d\s]+?)\s*=\s*оценено\s*(\d+)\D+пропущено\s*(\d+).*?с\s*ошибкой\s*(\d+)\D+ждут\s*(\d+)",
    re.DOTALL,
)


def parse_printed_numbers(message: EmailMessage) -> tuple[int, ...] | None:
    """Return N of the mail and the four numbers after it; None if it prints none."""
    body = message.get_body(("plain",))
    found = _NUMBERS.search(str(body.get_content())) if body is not None else None
    return tuple(int(re.sub(r"\s", "", number)) for number in found.groups()) if found else None
