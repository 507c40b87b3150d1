"""A day as its mails told it together: their stored figures, through the mail's own template."""

from datetime import date

from app.database.engine import Database
from app.errors import NotFoundError
from app.repositories import mail_days
from app.services.digests.figures import DigestFigures
from app.services.mail.letter import render_page


async def render_day(database: Database, day: date, *, today: date) -> str:
    """The date as an HTML document; ``today`` is the present day in the report's zone.

    Raises:
        NotFoundError: the date has no mail; the sentence tells whether it is still to come.
    """
    async with database.session() as session:
        figures = await mail_days.get_figures(session, day)
        mails = await mail_days.list_mails(session, day)
        covering = None if figures else await mail_days.get_covering_day(session, day)
    if figures is None:
        raise NotFoundError(_why_none(day, today, covering))
    return render_page(DigestFigures.model_validate(figures), mails)


def _why_none(day: date, today: date, covering: date | None) -> str:
    if covering is not None:
        return f"Отдельного письма за {day} нет: этот день вошёл в письмо за {covering}."
    if day > today:
        return f"Письма за {day} ещё нет: этот день не наступил, сегодня {today}."
    if day == today:
        return f"Письма за сегодня, {day}, ещё нет: его составит ежедневный запуск или отправка отчётов по вызову."
    return f"Писем за {day} нет ни одного: выберите день, за который письмо было составлено."
