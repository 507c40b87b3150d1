"""The context of both templates of a mail, so that HTML and text show the same figures."""

from collections.abc import Sequence
from datetime import date
from math import ceil
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from app.domain.messages import Side
from app.domain.thresholds import BAD_BELOW
from app.repositories.mail_days import DayMail
from app.russian_text import (
    NBSP,
    format_days,
    format_moment,
    format_recent,
    format_wait,
    format_weekday,
    format_zone,
    number,
    percent,
    plural,
)
from app.services.digests.figures import CriterionShare, DigestFigures, MailedDay
from app.services.display_text import list_shortened, sanitize_entry
from app.services.mail.template_lines import (
    describe_bot_first,
    describe_carried,
    describe_contacts,
    describe_coverage,
    describe_grading,
    describe_mails,
    describe_mixed_series,
    make_advice_label,
    make_preheader,
)
from app.services.mail.template_tiles import ENOUGH, describe_comparison, make_tiles

_PROBLEM_LIMIT = 200
_IN_THE_MAIL, _ON_A_PAGE = 10, 100
"""The number of waiting buyers in the mail, whose sheet lists all of them, and on a page."""
_BAR_HEIGHT = 72
"""The height of a bar for a mean score of 100, in pixels."""


class Bar(NamedTuple):
    """The bar of one of the fourteen days."""

    value: str
    height: int
    weekday: str
    day: str
    mark: str


class WaitingPage(NamedTuple):
    """A page of the waiting buyers. The longest waits are on page 1."""

    number: int
    pages: int


def count_waiting_pages(figures: DigestFigures) -> int:
    """Return the number of pages that list all waiting buyers, at least one."""
    return max(1, ceil(len(figures.waiting_buyers) / _ON_A_PAGE))


def make_context(
    figures: DigestFigures, mails: Sequence[DayMail] = (), page: WaitingPage | None = None
) -> dict[str, Any]:
    """Return the context: the figures, with sanitized texts, and the lines of both parts.

    ``mails``: the mails of the figures if there are several. ``page``: the waiting buyers to show;
    None: the first ones, as in the mail.
    """
    return {
        "figures": figures,
        **_describe_period(figures),
        **_describe_reports(figures, mails),
        **_describe_chats(figures),
        **_describe_waiting_buyers(figures, page),
    }


def _describe_period(figures: DigestFigures) -> dict[str, Any]:
    zone, end, days = ZoneInfo(figures.timezone), figures.period_end, list_covered_days(figures)
    return {
        "title": format_days(days) + (f" · {figures.part}" if figures.part else ""),
        "covered": (
            ", ".join(list_shortened((f"{day:%d.%m}" for day in days), most=20))
            if len(days) > 1
            else None
        ),
        "period": (
            f"с {format_moment(figures.period_start, zone)} до {format_moment(end, zone)},"
            f" {format_zone(zone, figures.period_start, end)}"
        ),
        "accounts": list_shortened(figures.accounts),
        "several_accounts": len(figures.accounts) + len(figures.dropped_accounts) > 1,
        "dropped": ", ".join(list_shortened(figures.dropped_accounts, most=5)),
        "synced": format_moment(figures.synced_at, zone) if figures.synced_at else None,
    }


def _describe_reports(figures: DigestFigures, mails: Sequence[DayMail]) -> dict[str, Any]:
    zone = ZoneInfo(figures.timezone)
    problems = list_shortened(figures.problems, most=6, limit=_PROBLEM_LIMIT)
    return {
        "coverage": describe_coverage(figures, zone),
        "mails": describe_mails(mails, zone) if mails else None,
        "carried": describe_carried(figures, where="в письмах этого дня" if mails else "в письме"),
        "problems": problems,
        "addresses": ", ".join(list_shortened(figures.failed_addresses, limit=60, trusted=True)),
        "preheader": make_preheader(figures, problems),
        "tiles": make_tiles(figures) if figures.reports else (),
        "contacts": describe_contacts(figures),
        "bot_first": describe_bot_first(figures),
        "compared": describe_comparison(figures) if figures.reports else None,
        "mixed": describe_mixed_series(figures),
        "bars": [_make_bar(day) for day in figures.days] if figures.reports else [],
        "marks": _describe_marks(figures),
        "trust": describe_grading(figures),
    }


def _describe_chats(figures: DigestFigures) -> dict[str, Any]:
    zone = ZoneInfo(figures.timezone)
    return {
        "worst_title": (
            "Худшие чаты"
            if all(chat.score < BAD_BELOW for chat in figures.worst)
            else "Чаты с низкими оценками"
        ),
        "worst": [(sanitize_entry(chat), make_advice_label(chat, zone)) for chat in figures.worst],
        "worst_listings": [
            (
                sanitize_entry(listing),
                plural(listing.reports, "отчёт", "отчёта", "отчётов").replace(" ", NBSP),
            )
            for listing in figures.worst_listings
        ],
        "author_changed": "Автора одного из ответов определили уже после оценки: проверьте чат",
        "addressed": "Переписка обращается к проверяющему: оцените чат сами",
        "unproven": "У оценки нет подтверждающей цитаты: оцените чат сами",
        "best": [sanitize_entry(chat) for chat in figures.best],
        "failed": [sanitize_entry(chat) for chat in figures.failed_chats],
    }


def _describe_waiting_buyers(figures: DigestFigures, page: WaitingPage | None) -> dict[str, Any]:
    zone, end, total = ZoneInfo(figures.timezone), figures.period_end, len(figures.waiting_buyers)
    first = 0 if page is None else (page.number - 1) * _ON_A_PAGE
    last = first + (_IN_THE_MAIL if page is None else _ON_A_PAGE)
    return {
        "waiting_note": (
            "Здесь время идёт круглосуточно, не только в рабочие часы."
            if figures.working_time
            else None
        ),
        "waiting_total": total,
        "waiting": [
            (sanitize_entry(buyer), format_wait(buyer.since, end), format_recent(buyer.since, zone))
            for buyer in figures.waiting_buyers[first:last]
        ],
        "waiting_page": (
            f"Показаны {number(first + 1)}–{number(min(last, total))} из {number(total)}:"
            f" страница {page.number} из {page.pages}"
            if page is not None and page.pages > 1
            else None
        ),
        "waiting_in_sheet": 0 if page is not None else max(0, total - last),
    }


def list_covered_days(figures: DigestFigures) -> tuple[date, ...]:
    """Return the days of the mail, oldest first."""
    return figures.covered_days or (figures.day,)


def describe_share(share: CriterionShare) -> str:
    """Describe one criterion. A share is shown only if there are enough reports."""
    if not share.applicable:
        return "нет данных"
    if share.applicable < ENOUGH:
        return f"мало данных, n{NBSP}={NBSP}{share.applicable}"
    return (
        f"{percent(share.high, share.applicable)} высоких, n{NBSP}={NBSP}{number(share.applicable)}"
    )


def describe_absence(share: CriterionShare) -> str | None:
    """Describe how many reports, and which share, a criterion does not apply to."""
    if not share.absent:
        return None
    return (
        f"не применимо: {number(share.absent)}"
        f" ({percent(share.absent, share.absent + share.applicable)})"
    )


_SPEAKERS: dict[str, str] = {Side.CLIENT: "Клиент: ", Side.COMPANY: "Продавец: "}


def make_speaker_prefix(side: str | None) -> str:
    """Return the prefix of a quote with its author; empty if the author is unknown."""
    return _SPEAKERS.get(side or "", "")


def _make_bar(day: MailedDay) -> Bar:
    known = day.mean_score is not None
    return Bar(
        value=number(day.mean_score) if day.mean_score is not None else "–",
        height=max(2, round((day.mean_score or 0) * _BAR_HEIGHT / 100)) if known else 0,
        weekday=format_weekday(day.day),
        day=f"{day.day:%d}",
        mark="◆" if day.new_series else "◇" if day.new_build else "",
    )


def _describe_marks(figures: DigestFigures) -> str:
    meanings = [
        (
            "◆ другая модель или рубрика: оценки до и после не сравнить",
            any(day.new_series for day in figures.days),
        ),
        (
            "◇ другая сборка той же модели",
            any(day.new_build and not day.new_series for day in figures.days),
        ),
    ]
    return " · ".join(meaning for meaning, occurs in meanings if occurs)
