"""Days, moments, spans, shares and money in Russian words, as mails show them."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from app.services.plural import NBSP, number, plural

_MONTHS = (
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
)
_WEEKDAYS = ("понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье")
_TO_WEEKDAYS = (
    "понедельникам",
    "вторникам",
    "средам",
    "четвергам",
    "пятницам",
    "субботам",
    "воскресеньям",
)
_SHORT_WEEKDAYS = ("пн", "вт", "ср", "чт", "пт", "сб", "вс")


def days_title(days: Sequence[date]) -> str:
    """The days of a mail, oldest first: a day with its weekday, or the first and the last."""
    first, last = days[0], days[-1]
    end = f"{last.day}{NBSP}{_MONTHS[last.month - 1]} {last.year}"
    if first == last:
        return f"{end}, {_WEEKDAYS[last.weekday()]}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{end}"
    year = f" {first.year}" if first.year != last.year else ""
    return f"{first.day}{NBSP}{_MONTHS[first.month - 1]}{year} – {end}"


def to_weekdays(day: date) -> str:
    """What is compared with the day's weekday in general: «к воскресеньям»."""
    return f"к{NBSP}{_TO_WEEKDAYS[day.weekday()]}"


def short_weekday(day: date) -> str:
    """Two letters."""
    return _SHORT_WEEKDAYS[day.weekday()]


def at_moment(moment: datetime, zone: ZoneInfo) -> str:
    """Exact to the second where that says more."""
    local = moment.astimezone(zone)
    return (
        f"{local:%d.%m.%Y}{NBSP}{local:%H:%M:%S}"
        if local.second
        else f"{local:%d.%m.%Y}{NBSP}{local:%H:%M}"
    )


def since_words(moment: datetime, zone: ZoneInfo) -> str:
    """A moment of the last days, to the minute."""
    local = moment.astimezone(zone)
    return f"{local:%d.%m}{NBSP}{local:%H:%M}"


def zone_words(zone: ZoneInfo, start: datetime, end: datetime) -> str:
    """The zone's name and offset, both offsets where the clocks were changed within the period."""
    offsets = dict.fromkeys(moment.astimezone(zone).isoformat()[-6:] for moment in (start, end))
    return f"{zone.key} (UTC{', затем UTC'.join(offsets)})"


def waited(since: datetime, until: datetime) -> str:
    """How long somebody has waited, in whole hours."""
    days, hours = divmod(max(0, int((until - since).total_seconds() // 3600)), 24)
    parts = [plural(days, "день", "дня", "дней")] * bool(days) + [
        plural(hours, "час", "часа", "часов")
    ] * bool(hours)
    return (" ".join(parts) or "меньше часа").replace(" ", NBSP)


def span(minutes: int) -> str:
    """A length of time in its two largest units: ``12 мин``, ``3 ч 10 мин``, ``2 дн 4 ч``."""
    days, rest = divmod(minutes, 24 * 60)
    hours, left = divmod(rest, 60)
    units = [(days, "дн"), (hours, "ч"), (left, "мин")]
    while len(units) > 1 and not units[0][0]:
        units.pop(0)
    shown = [f"{number(count)}{NBSP}{unit}" for count, unit in units[:2] if count]
    return " ".join(shown) or f"до{NBSP}1{NBSP}мин"


def percent(part: int, whole: int) -> str:
    """A share in whole percent."""
    return f"{number(100 * part / whole)}{NBSP}%"


def dollars(cost: Decimal | None) -> str:
    """A sum of money; a day of few chats costs less than a cent."""
    if cost is None:
        return "неизвестна, цены модели нет в справочнике"
    return (f"{cost:,.2f}" if cost >= 1 else f"{cost:.4f}").replace(",", NBSP).replace(
        ".", ","
    ) + f"{NBSP}$"


def arrow(change: int, size: str) -> str:
    """A change with its direction: ``▲3``, ``▼3``, ``±0``."""
    return f"{'▲' if change > 0 else '▼'}{size}" if change else "±0"


def chat_url(chat_id: str) -> str:
    """The chat in Avito's own messenger."""
    return f"https://www.avito.ru/profile/messenger/channel/{quote(chat_id, safe='')}"
