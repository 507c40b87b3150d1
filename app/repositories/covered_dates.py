"""SQL of the covered dates: which dates are still to be mailed, and which mail covers a date."""

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import Date, cast, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import CoveredDate, Delivery, Digest, DigestKind, Run, RunKind

_ADOPT = text("""
    INSERT INTO covered_dates (day, digest_id)
    SELECT CAST(covered.day AS date), digest.id
    FROM digests digest, jsonb_array_elements_text(
        coalesce(digest.figures -> 'covered_days', '[]') || to_jsonb(digest.day::text)) AS covered (day)
    WHERE digest.kind = 'daily' AND NOT EXISTS (SELECT FROM covered_dates WHERE digest_id = digest.id)
    ORDER BY digest.id
    ON CONFLICT DO NOTHING
    """)


async def adopt_mails(session: AsyncSession) -> None:
    """Store the dates of daily mails that a process of the previous release has built: it knows no
    covered dates.

    Drop this when no process of that release can be running.
    """
    await session.execute(_ADOPT)


async def list_uncovered(session: AsyncSession, *, until: date) -> list[date]:
    """The dates from the first daily run's up to ``until``, both included, that no mail covers,
    oldest first.
    """
    await adopt_mails(session)
    first = select(func.min(Run.slot)).where(Run.kind == RunKind.DAILY).scalar_subquery()
    start = func.least(cast(first, Date), until)
    days = (
        func.generate_series(start, until, text("interval '1 day'"))
        .table_valued("day")
        .render_derived()
    )
    day = cast(days.c.day, Date)
    statement = select(day).where(day.not_in(select(CoveredDate.day))).order_by(day)
    return list(await session.scalars(statement))


async def cover(session: AsyncSession, digest_id: int, days: Collection[date]) -> None:
    """Store that a mail covers these dates.

    Raises:
        IntegrityError: another mail covers one of them.
    """
    await session.execute(
        insert(CoveredDate), [{"day": day, "digest_id": digest_id} for day in days]
    )


async def get_mail_day(session: AsyncSession, day: date) -> date:
    """The date under which a date's mail is filed: its own, unless it has no mail and a later
    date's covers it.
    """
    own = select(Digest.id).where(Digest.day == day).exists()
    covering = (
        select(Digest.day)
        .join(CoveredDate, CoveredDate.digest_id == Digest.id)
        .where(CoveredDate.day == day, ~own)
    )
    return await session.scalar(covering) or day


async def is_mailed(session: AsyncSession, day: date) -> bool:
    """Whether a daily mail that covers the date is on its way to its recipients."""
    await adopt_mails(session)
    deliveries = (
        select(Delivery.id)
        .join(CoveredDate, CoveredDate.digest_id == Delivery.digest_id)
        .where(CoveredDate.day == day)
    )
    return await session.scalar(deliveries.limit(1)) is not None


async def release_later(session: AsyncSession, *, today: date, created_after: datetime) -> None:
    """Forget that mails of a date to come cover anything: the clock was ahead when they were built.

    They stay mails of their date, beside the daily one that it still gets.
    """
    early = select(Digest.id).where(
        Digest.kind == DigestKind.DAILY, Digest.day > today, Digest.created_at > created_after
    )
    await session.execute(delete(CoveredDate).where(CoveredDate.digest_id.in_(early)))
    await session.execute(
        update(Digest).where(Digest.id.in_(early)).values(kind=DigestKind.SUPPLEMENT)
    )
