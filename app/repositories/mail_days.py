"""SQL of the dates that have a mail, and of what their mails said. A mail sent again shows nothing new and is left out."""

from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Digest, DigestKind


class MailDay(NamedTuple):
    """A date, how many mails it has, how many reports they carried."""

    date: date
    mails: int
    reports: int


async def list_days(session: AsyncSession, *, before: date | None, limit: int) -> list[MailDay]:
    """The dates that have a mail, newest first."""
    statement = select(Digest.day, func.count(), func.sum(Digest.reports_count)).where(Digest.kind != DigestKind.RESEND)
    if before is not None:
        statement = statement.where(Digest.day < before)
    found = await session.execute(statement.group_by(Digest.day).order_by(Digest.day.desc()).limit(limit))
    return [MailDay(*row) for row in found]


async def list_figures(session: AsyncSession, day: date) -> list[dict[str, Any]]:
    """The figures of a date's mails, newest mail first."""
    statement = select(Digest.figures).where(Digest.day == day, Digest.kind != DigestKind.RESEND).order_by(Digest.id.desc())
    return list(await session.scalars(statement))


async def get_covering_day(session: AsyncSession, day: date) -> date | None:
    """The date of the mail that made up for a missed day."""
    covered = Digest.figures["covered_days"].contains([day.isoformat()])
    statement = select(Digest.day).where(Digest.kind == DigestKind.DAILY, Digest.day > day, covered)
    return (await session.scalars(statement.order_by(Digest.day).limit(1))).first()
