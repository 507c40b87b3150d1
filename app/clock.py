"""Time: the clock that is handed to whatever needs the present moment, and calendar days in the
report's time zone.
"""

import time as machine
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]
"""Gives the present moment, aware. An argument everywhere, so that a test can live through a week
in a second.
"""


Monotonic = Callable[[], float]
"""Gives seconds that no change of the wall clock affects; only differences have a meaning."""


def system_clock() -> datetime:
    """The machine's clock, in UTC."""
    return datetime.now(UTC)


class Deadline:
    """The end of a span, kept by the monotonic clock: a change of the wall clock neither ends the
    span at once nor prolongs it.

    ``span`` counts from ``since``, which another process may have written. A ``since`` in the
    future counts as now.
    """

    def __init__(
        self,
        span: timedelta,
        *,
        since: datetime,
        clock: Clock,
        monotonic: Monotonic = machine.monotonic,
    ) -> None:
        elapsed = max(clock() - since, timedelta(0))
        self._monotonic = monotonic
        self._ends_at = monotonic() + (span - elapsed).total_seconds()

    @property
    def seconds_left(self) -> float:
        """Seconds until the end; 0 after it."""
        return max(self._ends_at - self._monotonic(), 0.0)

    @property
    def passed(self) -> bool:
        """Whether the end has come."""
        return self._monotonic() >= self._ends_at


def local_date(moment: datetime, zone: ZoneInfo) -> date:
    """The calendar day on which an aware moment falls in the zone."""
    return moment.astimezone(zone).date()


def at_local(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """The UTC moment at which the zone's wall clock shows ``wall`` on ``day``.

    Where clocks are put forward over ``wall``, the moment is the one that the offset before the
    change gives; where they are put back and ``wall`` comes twice, the first (PEP 495, ``fold=0``).
    """
    return datetime.combine(day, wall, tzinfo=zone).astimezone(UTC)


def day_bounds(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The half-open span ``[start, end)`` of UTC moments that the days ``first`` to ``last`` cover,
    both included.
    """
    return at_local(first, time.min, zone), at_local(last + timedelta(days=1), time.min, zone)


def spelled_in(moment: str, zone: ZoneInfo) -> str:
    """A moment in ISO 8601 with a numeric offset, as the zone's wall clock shows it, with the
    offset that holds there at that moment.

    Seconds and their parts stay to the letter: clocks differ by whole minutes.
    """
    minute, offset = _minute_in(moment[:16], moment[-6:], zone)
    return f"{minute}{moment[16:-6]}{offset}"


@lru_cache(1024)
def _minute_in(minute: str, offset: str, zone: ZoneInfo) -> tuple[str, str]:
    """Remembered: reports are written many to a minute, and spelling a moment takes many times as
    long as looking it up.
    """
    spelled = datetime.fromisoformat(minute + offset).astimezone(zone).isoformat(timespec="minutes")
    return spelled[:16], spelled[16:]
