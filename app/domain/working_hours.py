"""Working hours of the company, and the working time within a span."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from operator import itemgetter
from zoneinfo import ZoneInfo

_WEEKS = (
    ("пн", "вт", "ср", "чт", "пт", "сб", "вс"),
    ("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
)
_DAYS = {name: number for week in _WEEKS for number, name in enumerate(week)}
_DASH = re.compile(r"\s*[-‐‑‒–—−]\s*")
_SHIFT = re.compile(r"([а-яa-z]+)(?:-([а-яa-z]+))? ([0-9]{1,2}):([0-9]{2})-([0-9]{1,2}):([0-9]{2})")
_DAY_MINUTES = 24 * 60
ROUND_THE_CLOCK_TEXT = "круглосуточно"

Shift = tuple[int, int]
"""Opening and closing time on one day, in minutes since midnight by the wall clock.

A day ends at 1440.
"""


@dataclass(frozen=True)
class WorkingHours:
    """Shifts of each weekday, Monday first. An empty week means round the clock."""

    week: tuple[tuple[Shift, ...], ...] = ()

    @classmethod
    def parse(cls, text: str) -> "WorkingHours":
        """Parse ``Пн-Пт 09:00-18:00, Сб 10:00-16:00`` (or ``Mon-Fri``).

        A day may occur twice. Empty text means round the clock.

        Raises:
            ValueError: the text is not a list of days and hours, or a shift crosses midnight.
        """
        if not text.strip() or text == ROUND_THE_CLOCK_TEXT:
            return ROUND_THE_CLOCK
        week: list[list[Shift]] = [[] for _ in range(7)]
        for part in text.lower().split(","):
            first, last, shift = _read_shift(" ".join(_DASH.sub("-", part).split()))
            for further in range((last - first) % 7 + 1):  # Вс-Чт wraps around the end of the week
                week[(first + further) % 7].append(shift)
        return cls(tuple(tuple(shifts) for shifts in week))

    def describe(self) -> str:
        """Return the text that ``parse`` reads, in Russian, or «круглосуточно»."""
        if not self.week:
            return ROUND_THE_CLOCK_TEXT
        days = [
            ", ".join(f"{day} {_describe_shift(shift)}" for shift in shifts)
            for day, shifts in zip(_WEEKS[0], self.week, strict=True)
            if shifts
        ]
        return ", ".join(days)

    def seconds_between(self, start: datetime, end: datetime, zone: ZoneInfo) -> int:
        """Return the seconds of the span that are working time by the zone's wall clock.

        The result is 0 if the end is not after the start. Elapsed seconds are counted: if the
        clocks change during a shift, the shift is an hour shorter or longer. If a wall clock time
        occurs twice on a day, the first one counts (PEP 495, ``fold=0``).
        """
        # In UTC: Python subtracts two moments of one zone by the wall clock.
        counted_to, end = start.astimezone(UTC), end.astimezone(UTC)
        if not self.week:
            return max(0, int((end - counted_to).total_seconds()))
        total = timedelta()
        for opening, closing in sorted(
            self._open_spans(start.astimezone(zone).date(), end.astimezone(zone).date(), zone)
        ):
            begin, finish = max(opening, counted_to), min(closing, end)
            if begin < finish:
                total += finish - begin
                counted_to = finish
        return int(total.total_seconds())

    def find_start(self, end: datetime, span: timedelta, zone: ZoneInfo) -> datetime:
        """Return the latest moment from which ``span`` of working time passes until ``end``.

        It is the inverse of ``seconds_between``. The week must be empty or have a shift.
        """
        left, counted_from = span, end.astimezone(UTC)
        if not self.week:
            return counted_from - left
        day = end.astimezone(zone).date()
        while True:
            spans = self._open_spans(day, day, zone)
            for opening, closing in sorted(spans, key=itemgetter(1), reverse=True):
                finish = min(closing, counted_from)
                if opening < finish:
                    if finish - opening >= left:
                        return finish - left
                    left -= finish - opening
                    counted_from = opening
            day -= timedelta(days=1)

    def _open_spans(
        self, first: date, last: date, zone: ZoneInfo
    ) -> Iterator[tuple[datetime, datetime]]:
        for number in range((last - first).days + 1):
            day = first + timedelta(days=number)
            for opening, closing in self.week[day.weekday()]:
                yield _moment(day, opening, zone), _moment(day, closing, zone)


ROUND_THE_CLOCK = WorkingHours()


def _read_shift(words: str) -> tuple[int, int, Shift]:
    match = _SHIFT.fullmatch(words)
    if match is None:
        raise ValueError("not days and hours")
    first, last, *clock = match.groups()
    if first not in _DAYS or (last or first) not in _DAYS:
        raise ValueError("not a day of the week")
    from_hour, from_minute, to_hour, to_minute = map(int, clock)
    opening, closing = 60 * from_hour + from_minute, 60 * to_hour + to_minute
    if max(from_minute, to_minute) > 59 or not opening < closing <= _DAY_MINUTES:
        raise ValueError("a shift opens before it closes, on one day")
    return _DAYS[first], _DAYS[last or first], (opening, closing)


def _describe_shift(shift: Shift) -> str:
    return "-".join(f"{minutes // 60:02}:{minutes % 60:02}" for minutes in shift)


def _moment(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    days, minutes = divmod(minutes, _DAY_MINUTES)
    wall = time(*divmod(minutes, 60))
    return datetime.combine(day + timedelta(days=days), wall, tzinfo=zone).astimezone(UTC)
