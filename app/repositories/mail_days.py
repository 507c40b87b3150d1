"""SQL of the dates that have mails, and of the figures of all mails of a date."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select, sql
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Digest, DigestKind


class MailDay(NamedTuple):
    """A date with the numbers of its mails, of the reports in them, and of its resent mails."""

    date: date
    mails: int
    reports: int
    resent: int


class DayMail(NamedTuple):
    """One mail of a date. ``reports``: the number of reports that it carries."""

    created_at: datetime
    kind: str
    reports: int


async def list_days(session: AsyncSession, *, before: date | None, limit: int) -> list[MailDay]:
    """Return the dates that have a mail, newest first."""
    again = Digest.kind == DigestKind.RESEND
    statement = select(
        Digest.day,
        func.count().filter(~again),
        func.sum(Digest.reports_count).filter(~again),
        func.count().filter(again),
    )
    if before is not None:
        statement = statement.where(Digest.day < before)
    found = await session.execute(
        statement.group_by(Digest.day).order_by(Digest.day.desc()).limit(limit)
    )
    return [MailDay(*row) for row in found]


async def list_mails(session: AsyncSession, day: date) -> list[DayMail]:
    """Return a date's mails, oldest first."""
    statement = (
        select(Digest.created_at, Digest.kind, Digest.reports_count)
        .where(Digest.day == day)
        .order_by(Digest.id)
    )
    return [DayMail(*row) for row in await session.execute(statement)]


_DAY_FIGURES = func.coalesce(Digest.day_figures, Digest.figures)
"""The figures of all mails of a date up to this one."""


async def get_figures(session: AsyncSession, day: date) -> dict[str, Any] | None:
    """Return the figures of all mails of a date; None without a mail."""
    found: dict[str, Any] | None = await session.scalar(
        select(_DAY_FIGURES).where(Digest.day == day).order_by(Digest.id.desc()).limit(1)
    )
    return found


async def count_waiting_buyers(session: AsyncSession, days: Sequence[date]) -> dict[date, int]:
    """Return the number of unanswered buyers by date, for the dates with a mail, oldest first."""
    waiting = func.jsonb_array_length(_DAY_FIGURES["waiting_buyers"]).label("waiting")
    newest = (
        select(Digest.day, waiting)
        .where(Digest.day.in_(days))
        .ext(distinct_on(Digest.day))
        .order_by(Digest.day, Digest.id.desc())
    )
    return {row.day: row.waiting for row in await session.execute(newest)}


async def list_answer_times(session: AsyncSession, days: Sequence[date]) -> set[bool]:
    """Return how these dates' mails with reports counted answer times.

    True: in working hours. False: round the clock.
    """
    working = func.coalesce(Digest.figures["working_time"].as_boolean(), sql.false())
    return set(
        await session.scalars(
            select(working).where(Digest.day.in_(days), Digest.reports_count > 0).distinct()
        )
    )
