"""A day as its mails told it: their stored figures, through the mail's own template."""

from collections.abc import Sequence
from datetime import date

from app.database.engine import Database
from app.errors import NotFoundError
from app.repositories import mail_days
from app.services.figures import DigestFigures
from app.services.letter import render_html


async def render_day(database: Database, day: date, *, today: date) -> str:
    """One HTML document with each of the date's mails, newest first; ``today`` is the present day in the report's zone.

    Raises:
        NotFoundError: the date has no mail; the sentence tells whether it is still to come.
    """
    async with database.session() as session:
        found = await mail_days.list_figures(session, day)
        covering = None if found else await mail_days.get_covering_day(session, day)
    if not found:
        raise NotFoundError(_why_none(day, today, covering))
    return _one_document([render_html(DigestFigures.model_validate(figures)) for figures in found])


def _why_none(day: date, today: date, covering: date | None) -> str:
    if covering is not None:
        return f"Отдельного письма за {day} нет: этот день вошёл в письмо за {covering}."
    if day > today:
        return f"Письма за {day} ещё нет: этот день не наступил, сегодня {today}."
    if day == today:
        return f"Письма за сегодня, {day}, ещё нет: его составит ежедневный запуск или отправка отчётов по вызову."
    return f"Писем за {day} нет ни одного: выберите день, за который письмо было составлено."


def _one_document(pages: Sequence[str]) -> str:
    """The first page with the bodies of the others at the end of its own."""
    first, closing, rest = pages[0].rpartition("</body>")
    return first + "".join(map(_body, pages[1:])) + closing + rest


def _body(page: str) -> str:
    opened = page.partition("<body")[2].partition(">")[2]
    return opened.rpartition("</body>")[0]
