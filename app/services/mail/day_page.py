"""The HTML page of a date: the stored figures of its mails, rendered by the mail's template."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from app.database.engine import Database
from app.errors import NotFoundError
from app.repositories import covered_dates, mail_days
from app.repositories.mail_days import DayMail
from app.russian_text import plural
from app.services.digests.stored_figures import parse_figures
from app.services.mail.mime import render_page
from app.services.mail.template_context import WaitingPage, count_waiting_pages


class DayPage(NamedTuple):
    """The HTML of a date with one page of its waiting buyers, and the number of these pages."""

    html: str
    pages: int


async def render_day(database: Database, day: date, page: int, *, today: date) -> DayPage:
    """Return the page of a date; ``today`` is the current date in the zone of reports.

    ``page``: of the waiting buyers, from 1. The page of a missed date shows the mail that covers
    it.

    Raises:
        NotFoundError: no mail covers the date, and the message states whether one will; or it has
            no such page.
    """
    mail_day = await get_mail_day(database, day)
    async with database.session() as session:
        figures = await mail_days.get_figures(session, mail_day)
        mails = await mail_days.list_mails(session, mail_day)
    if figures is None:
        raise NotFoundError(_describe_missing_mail(day, today))
    return await asyncio.to_thread(_render, figures, mails, page)


def _render(stored: Mapping[str, Any], mails: Sequence[DayMail], page: int) -> DayPage:
    figures = parse_figures(stored)
    pages = count_waiting_pages(figures)
    if page > pages:
        raise NotFoundError(
            f"Страницы {page} нет: ждущие ответа в письме за {figures.day} занимают"
            f" {plural(pages, 'страницу', 'страницы', 'страниц')}."
        )
    return DayPage(render_page(figures, mails, WaitingPage(page, pages)), pages)


async def get_mail_day(database: Database, day: date) -> date:
    """Return the date whose mails contain a date's reports: itself, or the later covering date."""
    async with database.session() as session:
        return await covered_dates.get_mail_day(session, day)


def _describe_missing_mail(day: date, today: date) -> str:
    if day > today:
        return f"Письма за {day} ещё нет: этот день не наступил, сегодня {today}."
    if day == today:
        return (
            f"Письма за сегодня, {day}, ещё нет: его составит ежедневный запуск или отправка"
            " отчётов по вызову."
        )
    return f"Писем за {day} нет ни одного: выберите день, за который письмо было составлено."
