"""Format numbers, dates, spans, shares and money in Russian with the rules of Babel.

Babel does not have: rounding of halves up, spans in two units, weekdays in the dative.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from math import floor
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal

NBSP = "\u00a0"
_RUSSIAN = Locale("ru")
_TO_WEEKDAYS = (
    "понедельникам",
    "вторникам",
    "средам",
    "четвергам",
    "пятницам",
    "субботам",
    "воскресеньям",
)


def number(value: float) -> str:
    """Round to a whole number, halves up, with separated thousands: ``1 408``."""
    return format_decimal(floor(value + 0.5), locale=_RUSSIAN)


def plural(count: int, one: str, few: str, many: str) -> str:
    """Return a count with the matching form of its noun: 1 чат, 2 чата, 5 чатов, 21 чат."""
    return f"{number(count)} {choose_form(count, one, few, many)}"


def choose_form(count: int, one: str, few: str, many: str) -> str:
    """Return the form of a word that matches a count, for a word that is not next to it."""
    return {"one": one, "few": few, "many": many}[_RUSSIAN.plural_form(count)]


def format_days(days: Sequence[date]) -> str:
    """Return the days of a mail, oldest first: one day with its weekday, or the first and last."""
    first, last = days[0], days[-1]
    if first == last:
        return _format_day(last, "d\u00a0MMMM y, EEEE")
    end = _format_day(last, "d\u00a0MMMM y")
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{end}"
    start = _format_day(first, "d\u00a0MMMM y" if first.year != last.year else "d\u00a0MMMM")
    return f"{start} – {end}"


def to_weekdays(day: date) -> str:
    """Return the day's weekday as the object of a comparison: «к воскресеньям»."""
    return f"к{NBSP}{_TO_WEEKDAYS[day.weekday()]}"


def format_weekday(day: date) -> str:
    """Return the day's weekday in two letters."""
    return _format_day(day, "EE")


def _format_day(day: date, pattern: str) -> str:
    return format_date(day, pattern, locale=_RUSSIAN)


def format_moment(moment: datetime, zone: ZoneInfo) -> str:
    """Return a date and time, with seconds if they are not zero."""
    local = moment.astimezone(zone)
    return (
        f"{local:%d.%m.%Y}{NBSP}{local:%H:%M:%S}"
        if local.second
        else f"{local:%d.%m.%Y}{NBSP}{local:%H:%M}"
    )


def format_recent(moment: datetime, zone: ZoneInfo) -> str:
    """Return a recent moment: day, month, hour and minute."""
    local = moment.astimezone(zone)
    return f"{local:%d.%m}{NBSP}{local:%H:%M}"


def format_zone(zone: ZoneInfo, start: datetime, end: datetime) -> str:
    """Return the zone's name and offset, or both offsets if the clocks changed in the period."""
    offsets = dict.fromkeys(moment.astimezone(zone).isoformat()[-6:] for moment in (start, end))
    return f"{zone.key} (UTC{', затем UTC'.join(offsets)})"


def format_wait(since: datetime, until: datetime) -> str:
    """Return the length of a wait in days and whole hours."""
    days, hours = divmod(max(0, int((until - since).total_seconds() // 3600)), 24)
    parts = [plural(days, "день", "дня", "дней")] * bool(days) + [
        plural(hours, "час", "часа", "часов")
    ] * bool(hours)
    return (" ".join(parts) or "меньше часа").replace(" ", NBSP)


def span(minutes: int) -> str:
    """Return a time span in its two largest units: ``12 мин``, ``3 ч 10 мин``, ``2 дн 4 ч``."""
    days, rest = divmod(minutes, 24 * 60)
    hours, left = divmod(rest, 60)
    units = [(days, "дн"), (hours, "ч"), (left, "мин")]
    while len(units) > 1 and not units[0][0]:
        units.pop(0)
    shown = [f"{number(count)}{NBSP}{unit}" for count, unit in units[:2] if count]
    return " ".join(shown) or f"до{NBSP}1{NBSP}мин"


def percent(part: int, whole: int) -> str:
    """Return a share in whole percent."""
    return f"{number(100 * part / whole)}{NBSP}%"


def dollars(cost: Decimal | None) -> str:
    """Return a sum of money; below a dollar with four decimals: a day may cost less than a cent."""
    if cost is None:
        return "неизвестна, цены модели нет в справочнике"
    return format_decimal(cost, "#,##0.00" if cost >= 1 else "0.0000", _RUSSIAN) + f"{NBSP}$"


def format_change(change: int, size: str) -> str:
    """Return a change with its direction: ``▲3``, ``▼3``, ``±0``."""
    return f"{'▲' if change > 0 else '▼'}{size}" if change else "±0"
