"""A chat as grading sees it: who wrote what and when."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Side(StrEnum):
    """Who wrote a message; SYSTEM is neither of the two people."""

    CLIENT = "client"
    COMPANY = "company"
    SYSTEM = "system"


@dataclass(frozen=True)
class ChatMessage:
    """One message; `text` is words already (a picture is "[фото]"), `has_text` tells whether a
    person typed them, `sent_at` is aware.
    """

    id: int
    side: Side
    sent_at: datetime
    text: str
    has_text: bool
