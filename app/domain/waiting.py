"""Times that buyers wait for an answer. They are computed from the messages, without the model."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from app.domain.messages import ChatMessage
from app.domain.working_hours import WorkingHours

WAITING_FOR_AT_MOST = timedelta(days=7)
"""A buyer whose last message is older does not count as waiting, even without an answer."""


@dataclass(frozen=True)
class AnswerTimes:
    """Waiting times in seconds of working time; None if there is no such wait."""

    first_answer_seconds: int | None
    """From the buyer's first message to the company's first answer or a completed call."""
    longest_wait_seconds: int | None
    """The longest time from a message of the buyer to the next answer or completed call.

    A wait that still lasts counts up to now.
    """
    waiting_since: datetime | None
    """Time of the buyer's first unanswered message; None if the buyer does not wait."""

    @property
    def as_json(self) -> dict[str, int | str | None]:
        """The values for JSON; the moment in ISO 8601."""
        return {
            "first_answer_seconds": self.first_answer_seconds,
            "longest_wait_seconds": self.longest_wait_seconds,
            "waiting_since": self.waiting_since.isoformat() if self.waiting_since else None,
        }


def answer_times(
    messages: Sequence[ChatMessage], hours: WorkingHours, zone: ZoneInfo, now: datetime
) -> AnswerTimes:
    """Return the waiting times of a chat or an episode at the moment ``now``.

    ``messages`` are sorted, oldest first. A wait begins with the first of the buyer's consecutive
    messages. ``ChatMessage.begins_wait`` and ``ends_wait`` define which messages count.
    """
    waits: list[int] = []
    since = asked_at = None
    for message in messages:
        if message.begins_wait:
            since, asked_at = since or message.sent_at, message.sent_at
        elif message.ends_wait and since is not None:
            waits.append(hours.seconds_between(since, message.sent_at, zone))
            since = None
    going_on = [hours.seconds_between(since, now, zone)] if since else []
    return AnswerTimes(
        first_answer_seconds=waits[0] if waits else None,
        longest_wait_seconds=max(waits + going_on, default=None),
        waiting_since=since if asked_at and now - asked_at <= WAITING_FOR_AT_MOST else None,
    )


def find_missed_call(messages: Sequence[ChatMessage]) -> datetime | None:
    """Return the time of the buyer's last missed call that has no answer yet.

    ``messages`` are sorted, oldest first.
    """
    unanswered = takewhile(lambda message: not message.ends_wait, reversed(messages))
    return next(
        (message.sent_at for message in unanswered if message.is_call and message.begins_wait), None
    )
