"""Time: the clock that is passed as an argument, and calendar days in the report's time zone."""

import time as machine
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]
"""Returns the current time, aware. It is always an argument, so that tests can set the time."""


Monotonic = Callable[[], float]
"""Returns seconds that no change of the wall clock affects; only differences are meaningful."""


def system_clock() -> datetime:
    """Return the machine's time in UTC."""
    return datetime.now(UTC)


class Deadline:
    """The end of a time span, measured by the monotonic clock.

    A change of the wall clock neither ends the span nor prolongs it. ``span`` counts from
    ``since``, which another process may have written. A ``since`` in the future counts as now.
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
        """Whether the deadline has passed."""
        return self._monotonic() >= self._ends_at


def local_date(moment: datetime, zone: ZoneInfo) -> date:
    """Return the calendar day of an aware time in the zone."""
    return moment.astimezone(zone).date()


def at_local(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """Return the UTC time at which the zone's wall clock shows ``wall`` on ``day``.

    If the clocks are put forward over ``wall``, the offset before the change applies. If they are
    put back and ``wall`` occurs twice, the first occurrence applies (PEP 495, ``fold=0``).
    """
    return datetime.combine(day, wall, tzinfo=zone).astimezone(UTC)


def day_bounds(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the half-open UTC interval ``[start, end)`` of the days ``first`` to ``last``.

    ``last`` is included.
    """
    return at_local(first, time.min, zone), at_local(last + timedelta(days=1), time.min, zone)


def format_in_zone(moment: str, zone: ZoneInfo) -> str:
    """Convert an ISO 8601 time to the zone; the result has a numeric offset.

    Seconds and fractions are copied unchanged: offsets are whole minutes.
    """
    minute, offset = _convert_minute(moment[:16], moment[-6:], zone)
    return f"{minute}{moment[16:-6]}{offset}"


@lru_cache(1024)
def _convert_minute(minute: str, offset: str, zone: ZoneInfo) -> tuple[str, str]:
    """Convert a minute and its offset.

    The results are cached: many reports share a minute, and a conversion is many times slower than
    a lookup.
    """
    converted = (
        datetime.fromisoformat(minute + offset).astimezone(zone).isoformat(timespec="minutes")
    )
    return converted[:16], converted[16:]
