"""SQL of the reviews: corrections of a report by a person."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Report, ReportFigures, Review
from app.repositories.report_conditions import IS_GRADING

IS_CURRENT = (Review.report_id == ReportFigures.report_id) & Review.ended_at.is_(None)
"""Condition for an outer join of figures with current reviews: at most one for each report.

The reviewed value of a grade, the score or the body is ``coalesce(review.score, report.score)``.
"""


async def lock_report(session: AsyncSession, report_id: int) -> Report | None:
    """Lock a report against other reviews until the transaction ends.

    None if no report of a grading has this number.
    """
    statement = (
        select(Report)
        .where(Report.id == report_id, IS_GRADING)
        .with_for_update(of=Report, key_share=True)
    )
    found: Report | None = await session.scalar(statement)
    return found


async def get_review(session: AsyncSession, report_id: int) -> Review | None:
    """Return the current review of a report."""
    found: Review | None = await session.scalar(
        select(Review).where(Review.report_id == report_id, Review.ended_at.is_(None))
    )
    return found


async def list_by_chat(session: AsyncSession, chat_id: int) -> list[Review]:
    """Return the current reviews of the chat's reports, newest report first."""
    statement = (
        select(Review)
        .join(Report, Report.id == Review.report_id)
        .where(Report.chat_id == chat_id, Review.ended_at.is_(None))
        .order_by(Report.created_at.desc(), Report.id.desc())
    )
    return list(await session.scalars(statement))


async def end_review(session: AsyncSession, report_id: int, now: datetime) -> None:
    """End the current review of a report, if there is one."""
    await session.execute(
        update(Review)
        .where(Review.report_id == report_id, Review.ended_at.is_(None))
        .values(ended_at=now)
    )


async def add_review(session: AsyncSession, values: Mapping[str, Any]) -> None:
    """Insert a review. The review before it must have been ended."""
    await session.execute(insert(Review), [dict(values)])
