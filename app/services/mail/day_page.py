"""A day as its mails told it together: their stored figures, through the mail's own template."""

from datetime import date

from app.database.engine import Database
from app.errors import NotFoundError
from app.repositories import covered_dates, mail_days
from app.services.digests.figures import DigestFigures
from app.services.mail.mime import render_page


async def render_day(database: Database, day: date, *, today: date) -> str:
    """The date as an HTML document; ``today`` is the present day in the report's zone. A missed
    date shows the mail that covers it.

    Raises:
        NotFoundError: no mail covers the date; the sentence tells whether it is still to come.
    """
    filed = await get_mail_day(database, day)
    async with database.session() as session:
        figures = await mail_days.get_figures(session, filed)
        mails = await mail_days.list_mails(session, filed)
    if figures is None:
        raise NotFoundError(_why_none(day, today))
    return render_page(DigestFigures.model_validate(figures), mails)


async def get_mail_day(database: Database, day: date) -> date:
    """The date whose mails hold a date's reports: itself, or the later date whose mail makes up for
    it.
    """
    async with database.session() as session:
        return await covered_dates.get_mail_day(session, day)


def _why_none(day: date, today: date) -> str:
    if day > today:
        return f"Письма за {day} ещё нет: этот день не наступил, сегодня {today}."
    if day == today:
        return (
            f"Письма за сегодня, {day}, ещё нет: его составит ежедневный запуск или отправка"
            " отчётов по вызову."
        )
    return f"Писем за {day} нет ни одного: выберите день, за который письмо было составлено."
