"""SQL of the covered dates: dates without a mail, and the mail that covers a date."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from sqlalchemy import Date, cast, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import CoveredDate, Delivery, Digest, DigestKind, Run, RunKind


async def list_uncovered(session: AsyncSession, *, until: date) -> list[date]:
    """Return the dates until ``until`` that no mail covers, oldest first.

    A mail covers all uncovered dates until its own. They are therefore the dates after the newest
    covered one, or those from the first daily run on.
    """
    covered = select(func.max(CoveredDate.day)).where(CoveredDate.day <= until)
    first = select(func.min(Run.slot)).where(Run.kind == RunKind.DAILY)
    start = func.coalesce(
        covered.scalar_subquery() + 1, func.least(cast(first.scalar_subquery(), Date), until)
    )
    days = (
        func.generate_series(start, until, timedelta(days=1)).table_valued("day").render_derived()
    )
    day = cast(days.c.day, Date)
    return list(await session.scalars(select(day).order_by(day)))


async def add_dates(session: AsyncSession, digest_id: int, days: Collection[date]) -> None:
    """Store that a mail covers these dates. The session reads one snapshot.

    Raises:
        DBAPIError: the mail of another process covers one of them since the snapshot. The
            transaction can be repeated.
    """
    rows = [{"day": day, "digest_id": digest_id} for day in days]
    await session.execute(insert(CoveredDate).on_conflict_do_nothing(), rows)


async def get_mail_day(session: AsyncSession, day: date) -> date:
    """Return the date of the mail that contains a date.

    It is the date itself, or a later one whose mail covers it.
    """
    own = select(Digest.id).where(Digest.day == day).exists()
    covering = (
        select(Digest.day)
        .join(CoveredDate, CoveredDate.digest_id == Digest.id)
        .where(CoveredDate.day == day, ~own)
    )
    return await session.scalar(covering) or day


async def is_mailed(session: AsyncSession, day: date) -> bool:
    """Return whether the daily mail that covers the date has deliveries."""
    deliveries = (
        select(Delivery.id)
        .join(CoveredDate, CoveredDate.digest_id == Delivery.digest_id)
        .where(CoveredDate.day == day)
    )
    return await session.scalar(deliveries.limit(1)) is not None


async def release_later(session: AsyncSession, *, today: date, created_after: datetime) -> None:
    """Delete the covered dates of mails with a future date, which become supplements.

    The clock was ahead when they were built. Their dates still get a daily mail.
    """
    early = select(Digest.id).where(
        Digest.kind == DigestKind.DAILY, Digest.day > today, Digest.created_at > created_after
    )
    await session.execute(delete(CoveredDate).where(CoveredDate.digest_id.in_(early)))
    await session.execute(
        update(Digest).where(Digest.id.in_(early)).values(kind=DigestKind.SUPPLEMENT)
    )
