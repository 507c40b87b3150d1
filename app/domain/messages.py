"""Messages of a chat as grading needs them: author, time and text."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

DELETABLE_FOR = timedelta(minutes=60)
"""The time after sending in which Avito lets an author delete a message."""
DELETION_GRACE = timedelta(minutes=5)
"""The time added to DELETABLE_FOR for clocks that differ and requests that take long."""
SETTLED_AFTER = DELETABLE_FOR + DELETION_GRACE
"""The age from which a message cannot be deleted any more.

A message that was younger when it was last read is read again.
"""


class Side(StrEnum):
    """Author of a message. SYSTEM is Avito itself: neither the buyer nor the company."""

    CLIENT = "client"
    COMPANY = "company"
    SYSTEM = "system"


@dataclass(frozen=True)
class ChatMessage:
    """One message.

    ``text``: words; a picture is "[фото]". ``has_text``: whether a person typed the words.
    ``sent_at``: an aware moment. ``type``: Avito's type of the message.
    """

    id: int
    side: Side
    sent_at: datetime
    text: str
    has_text: bool
    type: str = "text"


def find_first_client_at(messages: Iterable[ChatMessage]) -> datetime | None:
    """Return the time of the buyer's first message; None without one. Oldest messages are first."""
    return next((message.sent_at for message in messages if message.side is Side.CLIENT), None)
