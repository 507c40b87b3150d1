"""Conversations that are still going on: the buyer wrote last, and only a moment ago.

Such a chat is not graded yet. It is graded when SETTLE_MINUTES of working time have passed since
the buyer's last message, or as soon as the company answers.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.domain.working_hours import ROUND_THE_CLOCK, WorkingHours

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far Avito's clock may be ahead of the service's.

A message with a later time has a wrong time. Its chat does not wait, because it might wait for
years.
"""


class SettlingSpan(NamedTuple):
    """A chat is settling if the buyer's last message is later than ``after``, up to ``until``."""

    after: datetime
    until: datetime


@dataclass(frozen=True)
class SettlingRule:
    """How long a conversation is quiet before it is graded.

    ``quiet``: working time since the buyer's last message; 0 disables the rule.
    """

    quiet: timedelta = timedelta()
    hours: WorkingHours = ROUND_THE_CLOCK
    zone: ZoneInfo = ZoneInfo("UTC")  # noqa: RUF009 - immutable

    def find_span(self, now: datetime) -> SettlingSpan | None:
        """Return the times of last messages with which a chat is settling at ``now``.

        None: the rule is disabled.
        """
        if not self.quiet:
            return None
        return SettlingSpan(
            self.hours.find_start(now, self.quiet, self.zone), now + CLOCK_TOLERANCE
        )
