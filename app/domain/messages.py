"""Messages of a chat as grading needs them: author, time and text."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.domain.placeholders import CALL_TYPES, COMPLETED_CALL, MISSED_CALL, NEVER_READ

DELETABLE_FOR = timedelta(minutes=60)
"""The time after sending in which Avito lets an author delete a message."""
DELETION_GRACE = timedelta(minutes=5)
"""The time added to DELETABLE_FOR for clocks that differ and requests that take long."""
FINAL_AFTER = DELETABLE_FOR + DELETION_GRACE
"""The age from which a message is final: it cannot be deleted any more.

A message that was younger when it was last read is read again.
"""


class Side(StrEnum):
    """Author of a message. SYSTEM is Avito itself: neither the buyer nor the company.

    BOT sends automatic replies of the company. They are stored under COMPANY, with an author kind;
    COMPANY here means its people.
    """

    CLIENT = "client"
    COMPANY = "company"
    BOT = "bot"
    SYSTEM = "system"


@dataclass(frozen=True)
class ChatMessage:
    """One message.

    ``text``: words; a picture is "[фото]". ``has_text``: whether a person typed the words.
    ``sent_at``: an aware moment. ``type``: Avito's type of the message. ``call_status``: of a call,
    see ``read_call_status``.
    """

    id: int
    side: Side
    sent_at: datetime
    text: str
    has_text: bool
    type: str = "text"
    call_status: str | None = None

    @property
    def is_call(self) -> bool:
        """Whether it is a call, whatever became of it."""
        return self.type in CALL_TYPES

    @property
    def is_by_person(self) -> bool:
        """Whether the buyer or a person of the company wrote it."""
        return self.side in (Side.CLIENT, Side.COMPANY)

    @property
    def begins_wait(self) -> bool:
        """Whether the buyer waits for an answer to it: a message, or a call that was missed.

        A message that was deleted before a sync read it neither begins nor ends a wait: the other
        side does not see it.

        The SQL of the same rule: ``app.repositories.message_conditions``.
        """
        if self.is_call:
            return self.side is Side.CLIENT and self.call_status == MISSED_CALL
        return self.side is Side.CLIENT and self.type != NEVER_READ

    @property
    def ends_wait(self) -> bool:
        """Whether the buyer no longer waits after it.

        A message of a person of the company ends a wait, and so does a completed call of either
        side. Other calls, bots and Avito's assistant neither begin nor end one.
        """
        if self.is_call:
            return self.side is not Side.SYSTEM and self.call_status in COMPLETED_CALL
        return self.side is Side.COMPANY and self.type != NEVER_READ


def find_first_client_at(messages: Iterable[ChatMessage]) -> datetime | None:
    """Return the time of the buyer's first message; None without one. Oldest messages are first."""
    return next((message.sent_at for message in messages if message.side is Side.CLIENT), None)
