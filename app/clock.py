"""Time: the clock that is handed to whatever needs the present moment, and calendar days in the report's time zone."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]
"""Gives the present moment, aware. An argument everywhere, so that a test can live through a week in a second."""


def system_clock() -> datetime:
    """The machine's clock, in UTC."""
    return datetime.now(UTC)


def local_date(moment: datetime, zone: ZoneInfo) -> date:
    """The calendar day on which an aware moment falls in the zone."""
    return moment.astimezone(zone).date()


def at_local(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """The UTC moment at which the zone's wall clock shows ``wall`` on ``day``.

    Where clocks are put forward over ``wall``, the moment is the one that the offset before the change gives; where they are put
    back and ``wall`` comes twice, the first (PEP 495, ``fold=0``).
    """
    return datetime.combine(day, wall, tzinfo=zone).astimezone(UTC)


def day_bounds(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The half-open span ``[start, end)`` of UTC moments that the days ``first`` to ``last`` cover, both included."""
    return at_local(first, time.min, zone), at_local(last + timedelta(days=1), time.min, zone)
