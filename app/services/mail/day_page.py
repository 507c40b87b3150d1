"""The HTML page of a date: the stored figures of its mails, rendered by the mail's template."""

from datetime import date

from app.database.engine import Database
from app.errors import NotFoundError
from app.repositories import covered_dates, mail_days
from app.services.digests.figures import DigestFigures
from app.services.mail.mime import render_page


async def render_day(database: Database, day: date, *, today: date) -> str:
    """Return the page of a date; ``today`` is the current date in the zone of reports.

    The page of a missed date shows the mail that covers it.

    Raises:
        NotFoundError: no mail covers the date; the message states whether one will.
    """
    mail_day = await get_mail_day(database, day)
    async with database.session() as session:
        figures = await mail_days.get_figures(session, mail_day)
        mails = await mail_days.list_mails(session, mail_day)
    if figures is None:
        raise NotFoundError(_describe_missing_mail(day, today))
    return render_page(DigestFigures.model_validate(figures), mails)


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
