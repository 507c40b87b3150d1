"""The true time of a world.

It runs like the machine's clock and jumps from one simulated day to the next.
"""

from bisect import bisect_right
from datetime import UTC, datetime, timedelta


def real_now() -> datetime:
    """Return the machine's wall clock."""
    return datetime.now(UTC)


class TrueClock:
    """A clock that can be advanced and records its jumps."""

    def __init__(self, start: datetime) -> None:
        self._jumps = [(real_now(), start - real_now())]

    def __call__(self) -> datetime:
        return real_now() + self.offset

    @property
    def offset(self) -> timedelta:
        """Difference between the true time and the machine's."""
        return self._jumps[-1][1]

    def advance_to(self, moment: datetime) -> None:
        """Jump ahead; a moment in the past changes nothing."""
        if moment > self():
            self._jumps.append((real_now(), moment - real_now()))

    def at(self, real: datetime) -> datetime:
        """Return the true time at a moment of the machine's clock."""
        place = bisect_right(self._jumps, real, key=lambda jump: jump[0])
        return real + self._jumps[max(place - 1, 0)][1]
