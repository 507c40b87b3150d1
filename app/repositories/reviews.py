"""SQL of the reviews: a person's word on a report."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Report, ReportKind, Review

IN_FORCE = "LEFT JOIN reviews review ON review.report_id = report.id AND review.ended_at IS NULL"
"""For SQL over ``reports report``: at most one row of ``review`` to each, without changing how many
reports there are. What a person has corrected is then ``coalesce(review.score, report.score)``, and
so for each grade and the body.
"""


async def lock_report(session: AsyncSession, report_id: int) -> Report | None:
    """The report of a grading, nobody else's to review until the transaction ends; None where there
    is none of this number.
    """
    statement = (
        select(Report)
        .where(Report.id == report_id, Report.kind == ReportKind.GRADING)
        .with_for_update(of=Report, key_share=True)
    )
    found: Report | None = await session.scalar(statement)
    return found


async def get_review(session: AsyncSession, report_id: int) -> Review | None:
    """The word in force on a report."""
    found: Review | None = await session.scalar(
        select(Review).where(Review.report_id == report_id, Review.ended_at.is_(None))
    )
    return found


async def list_by_chat(session: AsyncSession, chat_id: int) -> list[Review]:
    """The words in force on the chat's reports, in the order of its reports: newest first."""
    statement = (
        select(Review)
        .join(Report, Report.id == Review.report_id)
        .where(Report.chat_id == chat_id, Review.ended_at.is_(None))
        .order_by(Report.created_at.desc(), Report.id.desc())
    )
    return list(await session.scalars(statement))


async def end_review(session: AsyncSession, report_id: int, now: datetime) -> None:
    """Ends the word in force on a report, if there is one."""
    await session.execute(
        update(Review)
        .where(Review.report_id == report_id, Review.ended_at.is_(None))
        .values(ended_at=now)
    )


async def add_review(session: AsyncSession, values: Mapping[str, Any]) -> None:
    """Writes a word; the one before it must have been ended."""
    await session.execute(insert(Review), [dict(values)])
