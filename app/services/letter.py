"""The mail's form: a digest's figures as HTML, as text, and as the MIME message that is stored and then sent to each recipient.

Both parts are filled from one context, so they cannot differ in a figure. Chat text is written by strangers: it is cleaned and cut
here, and escaped by the HTML template.
"""

import unicodedata
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from email import policy
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from hashlib import sha256
from html import escape
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from pydantic import BaseModel

from app.services.figures import Coverage, CriterionShare, DigestFigures
from app.services.plural import NBSP, number, plural

_Entry = TypeVar("_Entry", bound=BaseModel)

_ZERO_WIDTH_JOINER = "\u200d"
"""The one format character that is kept: emoji are glued together with it."""

_ENOUGH = 5
"""Fewer reports than this say nothing about a share."""

# In characters. Together they keep the HTML under 60 KB, whatever is in the texts; Gmail clips a mail at 102 KB.
_LIMITS = {"chat_title": 80, "client_name": 40, "quote": 200, "advice": 300, "criterion": 40, "reason": 120}
_UNNAMED = {"chat_title": "Чат без объявления", "client_name": "Клиент"}
_NAME_LIMIT = 40
_PROBLEM_LIMIT = 300

_MONTHS = ("января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября", "ноября", "декабря")
_WEEKDAYS = ("понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье")

_SENDER_NAME = "Авито-чаты"
_BOUNDARY = "=_avito-quality_="
"""Neither ``_`` nor a leading ``=`` occurs in base64, and a fixed one makes the same figures the same bytes."""


def subject(figures: DigestFigures) -> str:
    """The subject: day, mean score, chats, buyers who wait, and a warning where something is missing."""
    days = _days(figures)
    span = f"{days[0]:%d.%m}" if len(days) == 1 else f"{days[0]:%d.%m}–{days[-1]:%d.%m}"
    parts = [
        "новых отчётов нет" if figures.mean_score is None else number(figures.mean_score),
        plural(figures.coverage.total, "чат", "чата", "чатов"),
        f"{plural(figures.waiting_buyers_total, 'ждёт', 'ждут', 'ждут')} ответа"
        if figures.waiting_buyers_total
        else "никто не ждёт ответа",
    ]
    if figures.problems:
        parts.append("не всё получилось")
    return f"Авито-чаты {span}: {' · '.join(parts)}"


def render_html(figures: DigestFigures) -> str:
    """The mail's HTML part: a whole page without outside resources, at most 60 KB in UTF-8."""
    return _TEMPLATES.get_template("daily.html.jinja").render(_context(figures))


def render_text(figures: DigestFigures) -> str:
    """The mail's text part: the same figures in the same order."""
    return _TEMPLATES.get_template("daily.txt.jinja").render(_context(figures))


def compose(figures: DigestFigures, *, sender: str, now: datetime) -> bytes:
    """The mail as it is stored: everything but ``To`` and ``Message-ID``, which :func:`address` puts in front.

    The same arguments give the same bytes. ``sender`` is an address, with or without a name before it; answers go there as well.
    """
    origin = _mailbox(sender)
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"] = origin
    mail["Reply-To"] = origin
    mail["Date"] = format_datetime(now.astimezone(ZoneInfo(figures.timezone)))
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(render_text(figures), cte="base64")
    mail.add_alternative(render_html(figures), subtype="html", cte="base64")
    mail.set_boundary(_BOUNDARY)
    # EmailMessage loses a blank where it folds a long Cyrillic header; the older class does not.
    title = Header(_clean(subject(figures)), "utf-8", header_name="Subject").encode(linesep="\r\n")
    return f"Subject: {title}\r\n".encode() + mail.as_bytes()


def address(mime: bytes, *, recipient: str, message_id: str) -> bytes:
    """A stored mail made out to one recipient; what was stored follows byte for byte."""
    return f"To: {_clean(recipient)}\r\nMessage-ID: {_clean(message_id)}\r\n".encode() + mime


def message_id(digest_id: int, recipient: str, sender: str) -> str:
    """The ``Message-ID`` of one mail to one recipient: the same at each attempt, and silent about who the recipient is."""
    mark = sha256(f"{digest_id}\n{recipient}".encode()).hexdigest()[:32]
    return f"<digest-{digest_id}.{mark}@{_mailbox(sender).domain}>"


def _mailbox(sender: str) -> Address:
    name, spec = parseaddr(_clean(sender))
    user, _, domain = spec.rpartition("@")
    # Mail servers know a Cyrillic domain by its ASCII name only.
    return Address(_clean(name) or _SENDER_NAME, user, domain if domain.isascii() else domain.encode("idna").decode())


def _context(figures: DigestFigures) -> dict[str, Any]:
    """What both templates are filled with: the figures, their texts made harmless, and the lines they share."""
    zone = ZoneInfo(figures.timezone)
    days = _days(figures)
    end = figures.period_end
    longest = _wait(min(buyer.since for buyer in figures.waiting_buyers), end) if figures.waiting_buyers else None
    problems = _listed(figures.problems, most=6, limit=_PROBLEM_LIMIT)
    return {
        "figures": figures,
        "subject": subject(figures),
        "title": _title(days),
        "covered": ", ".join(_listed((f"{day:%d.%m}" for day in days), most=31)) if len(days) > 1 else None,
        "period": f"с {_moment(figures.period_start, zone)} до {_moment(end, zone)}, {_zone_words(figures, zone)}",
        "accounts": _listed(figures.accounts),
        "synced": _moment(figures.synced_at, zone) if figures.synced_at else None,
        "coverage": _coverage_line(figures.coverage),
        "problems": problems,
        "addresses": ", ".join(_listed(figures.failed_addresses, limit=80)),
        "preheader": _preheader(figures, problems, longest),
        "headline": _headline(figures, longest) if figures.reports else (),
        "worst": [_trimmed(chat) for chat in figures.worst],
        "waiting": [(_trimmed(buyer), _wait(buyer.since, end), _moment(buyer.since, zone)) for buyer in figures.waiting_buyers],
        "failed": [_trimmed(chat) for chat in figures.failed_chats],
        "trust": _trust_line(figures),
    }


def _headline(figures: DigestFigures, longest: str | None) -> tuple[tuple[str, str, str], ...]:
    """The four numbers: label, value, and what the value is of."""
    of_mean = f"из 100, по {plural(figures.reports, 'отчёту', 'отчётам', 'отчётам')}"
    of_bad = f"{number(figures.bad_reports)} из {number(figures.reports)} с оценкой ниже 50"
    few = ", мало данных" if figures.reports < _ENOUGH else ""
    return (
        ("Средняя оценка", "—" if figures.mean_score is None else number(figures.mean_score), of_mean + few),
        ("Плохие чаты", _percent(figures.bad_reports, figures.reports), of_bad + few),
        ("Отчёты", number(figures.reports), f"чатов за период: {number(figures.coverage.total)}"),
        ("Ждут ответа", number(figures.waiting_buyers_total), f"дольше всех: {longest}" if longest else "сейчас никто"),
    )


def _preheader(figures: DigestFigures, problems: list[str], longest: str | None) -> str:
    """What a list of mails shows after the subject: what the subject does not say."""
    if problems:
        return f"Не всё получилось: {_short(problems[0], 120)}"
    waiting = f" Дольше всех ждут ответа: {longest}." if longest else ""
    if not figures.reports:
        return f"Новых отчётов нет.{waiting}"
    return f"Плохих чатов: {number(figures.bad_reports)} из {number(figures.reports)}.{waiting}"


def _coverage_line(coverage: Coverage) -> str:
    reasons = [f"{_short(reason, _NAME_LIMIT)}: {number(count)}" for reason, count in coverage.skipped.items() if count]
    skipped = number(sum(coverage.skipped.values())) + (f" ({', '.join(reasons)})" if reasons else "")
    queue = " (очередь на оценку)" if coverage.waiting else ""
    return (
        f"Чатов: {number(coverage.total)} = оценено {number(coverage.graded)} + пропущено {skipped}"
        f" + с ошибкой {number(coverage.failed)} + ждут {number(coverage.waiting)}{queue}"
    )


def _trust_line(figures: DigestFigures) -> str:
    """What the grades rest on, and what they cost."""
    parts = []
    if figures.models:
        parts.append(f"Модель: {', '.join(_listed(figures.models, most=4))}")
    if figures.prompt_versions:
        parts.append(f"рубрика: {', '.join(_listed(figures.prompt_versions, most=4))}")
    if figures.reports:
        parts.append(f"стоимость: {_dollars(figures.cost_usd)}")
    if figures.incomplete_chats:
        parts.append(f"чатов с неполной историей (Авито не отдаёт её целиком): {number(figures.incomplete_chats)}")
    if figures.cut_short_accounts:
        names = ", ".join(_listed(figures.cut_short_accounts, most=4))
        parts.append(f"чатов больше, чем отдаёт Авито, самые старые не видны: {names}")
    return " · ".join(parts)


def _verdict(share: CriterionShare) -> str:
    """One criterion in a word: a share only where there is enough to take it of."""
    if not share.applicable:
        return "нет данных"
    if share.applicable < _ENOUGH:
        return f"мало данных, n{NBSP}={NBSP}{share.applicable}"
    return f"{_percent(share.high, share.applicable)} высоких, n{NBSP}={NBSP}{number(share.applicable)}"


def _days(figures: DigestFigures) -> tuple[date, ...]:
    return figures.covered_days or (figures.day,)


def _title(days: tuple[date, ...]) -> str:
    first, last = days[0], days[-1]
    end = f"{last.day}{NBSP}{_MONTHS[last.month - 1]} {last.year}"
    if first == last:
        return f"{end}, {_WEEKDAYS[last.weekday()]}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{end}"
    year = f" {first.year}" if first.year != last.year else ""
    return f"{first.day}{NBSP}{_MONTHS[first.month - 1]}{year} – {end}"


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    return f"{local:%d.%m.%Y}{NBSP}{local:%H:%M:%S}" if local.second else f"{local:%d.%m.%Y}{NBSP}{local:%H:%M}"


def _zone_words(figures: DigestFigures, zone: ZoneInfo) -> str:
    """The zone's name and offset, both offsets where the clocks were changed within the period."""
    offsets = dict.fromkeys(moment.astimezone(zone).isoformat()[-6:] for moment in (figures.period_start, figures.period_end))
    return f"{figures.timezone} (UTC{', затем UTC'.join(offsets)})"


def _wait(since: datetime, until: datetime) -> str:
    """How long somebody has waited, in whole hours."""
    days, hours = divmod(max(0, int((until - since).total_seconds() // 3600)), 24)
    parts = [plural(days, "день", "дня", "дней")] * bool(days) + [plural(hours, "час", "часа", "часов")] * bool(hours)
    return (" ".join(parts) or "меньше часа").replace(" ", NBSP)


def _percent(part: int, whole: int) -> str:
    return f"{number(100 * part / whole)}{NBSP}%"


def _dollars(cost: Decimal | None) -> str:
    if cost is None:
        return "неизвестна, цены модели нет в справочнике"
    # A day of few chats costs less than a cent.
    return (f"{cost:,.2f}" if cost >= 1 else f"{cost:.4f}").replace(",", NBSP).replace(".", ",") + f"{NBSP}$"


def _clean(text: str) -> str:
    """One line without what could reorder, hide or break it: control and format characters, lone surrogates."""
    visible = (
        " " if unicodedata.category(char) == "Cc" else char
        for char in text
        if char == _ZERO_WIDTH_JOINER or unicodedata.category(char) not in {"Cf", "Cs"}
    )
    return " ".join("".join(visible).split())


def _short(text: str, limit: int) -> str:
    """The text cut to ``limit`` characters, or to fewer where they weigh more than three bytes of HTML each: emoji, entities."""
    clean = _clean(text)
    weights = accumulate(len(escape(char).encode()) for char in clean[:limit])
    fitting = sum(weight <= 3 * limit for weight in weights)
    return clean if len(clean) <= fitting else clean[: fitting - 1].rstrip() + "…"


def _trimmed(entry: _Entry) -> _Entry:
    """The entry with its texts cleaned, cut, and named where nothing is left of a name."""
    texts = ((name, text) for name, text in entry if name in _LIMITS and text is not None)
    return entry.model_copy(update={name: _short(text, _LIMITS[name]) or _UNNAMED.get(name, "") for name, text in texts})


def _listed(texts: Iterable[str], *, most: int = 10, limit: int = _NAME_LIMIT) -> list[str]:
    """The first texts, cut, and how many more there are."""
    every = tuple(texts)
    more = [f"и ещё {number(len(every) - most)}"] if len(every) > most else []
    return [_short(text, limit) for text in every[:most]] + more


def _chat_url(chat_id: str) -> str:
    return f"https://www.avito.ru/profile/messenger/channel/{quote(chat_id, safe='')}"


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent.parent / "templates"),
    autoescape=select_autoescape(enabled_extensions=("html.jinja",)),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters.update(number=number)
_TEMPLATES.globals.update(chat_url=_chat_url, verdict=_verdict, enough=_ENOUGH)
