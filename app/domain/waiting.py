"""How long buyers wait for an answer: counted from the messages, never asked of the model."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.domain.messages import ChatMessage, Side
from app.domain.working_hours import WorkingHours

WAITING_FOR_AT_MOST = timedelta(days=7)
"""A buyer whose last message is older no longer waits, answered or not."""


@dataclass(frozen=True)
class AnswerTimes:
    """Waits in seconds of working time; None where nobody waited, or waits in vain."""

    first_answer_seconds: int | None
    """From the buyer's first message to the company's first one after it."""
    longest_wait_seconds: int | None
    """Of any message of the buyer's to the next of the company's; one that nobody has ended counts
    as far as it has come.
    """
    waiting_since: datetime | None
    """When a buyer who waits wrote the first of the messages that nobody has answered."""

    @property
    def as_json(self) -> dict[str, int | str | None]:
        """The same, ready for JSON; the moment in ISO 8601."""
        return {
            "first_answer_seconds": self.first_answer_seconds,
            "longest_wait_seconds": self.longest_wait_seconds,
            "waiting_since": self.waiting_since.isoformat() if self.waiting_since else None,
        }


def answer_times(
    messages: Sequence[ChatMessage], hours: WorkingHours, zone: ZoneInfo, now: datetime
) -> AnswerTimes:
    """The waits of a chat, or of an episode, oldest message first, as they stand ``now``.

    A buyer who writes again before the answer waits since the first of these messages. System
    messages ask and answer nothing.
    """
    waits: list[int] = []
    since = asked_at = None
    for message in messages:
        if message.side is Side.CLIENT:
            since, asked_at = since or message.sent_at, message.sent_at
        elif message.side is Side.COMPANY and since is not None:
            waits.append(hours.seconds_between(since, message.sent_at, zone))
            since = None
    going_on = [hours.seconds_between(since, now, zone)] if since else []
    return AnswerTimes(
        first_answer_seconds=waits[0] if waits else None,
        longest_wait_seconds=max(waits + going_on, default=None),
        waiting_since=since if asked_at and now - asked_at <= WAITING_FOR_AT_MOST else None,
    )
