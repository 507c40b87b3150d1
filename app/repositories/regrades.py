"""SQL of regrades: the reports of a period to grade again, and reports with their regrades."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.models import Chat, Report
from app.repositories.report_conditions import is_written_in


class Original(NamedTuple):
    """A report to grade again, with the values that its regrade copies."""

    id: int
    chat_id: int
    account_id: int
    created_at: datetime
    client_name: str | None
    first_message_id: int
    last_message_id: int
    body: dict[str, Any]
    answer_times: dict[str, Any]


async def count_originals(session: AsyncSession, start: datetime, end: datetime) -> int:
    """Return the number of reports written in ``[start, end)``."""
    statement = select(func.count(Report.id)).where(is_written_in(start, end))
    return await session.scalar(statement) or 0


async def list_originals(
    session: AsyncSession, start: datetime, end: datetime, *, before: Original | None, limit: int
) -> list[Original]:
    """Return the next reports written in ``[start, end)``, newest first, after ``before``."""
    columns = (
        Report.id,
        Report.chat_id,
        Report.account_id,
        Report.created_at,
        Chat.client_name,
        Report.first_message_id,
        Report.last_message_id,
        Report.body,
        Report.detail["answer_times"],
    )
    statement = (
        select(*columns)
        .join(Chat, Chat.id == Report.chat_id)
        .where(is_written_in(start, end))
        .order_by(Report.created_at.desc(), Report.id.desc())
        .limit(limit)
    )
    if before is not None:
        position = tuple_(Report.created_at, Report.id)
        statement = statement.where(position < tuple_(before.created_at, before.id))
    return [Original(*row) for row in await session.execute(statement)]


async def count_regraded(session: AsyncSession, run_ids: Collection[int]) -> int:
    """Return the number of reports that these runs have graded again."""
    return int(
        await session.scalar(select(func.count(Report.id)).where(_regraded_by(run_ids))) or 0
    )


async def list_regraded(
    session: AsyncSession, report_ids: Collection[int], run_ids: Collection[int]
) -> set[int]:
    """Return those of the reports that these runs have graded again."""
    if not run_ids:
        return set()
    statement = select(Report.regrade_of_id).where(
        Report.regrade_of_id.in_(report_ids), _regraded_by(run_ids)
    )
    return {number for number in await session.scalars(statement) if number is not None}


async def list_pairs(
    session: AsyncSession, run_ids: Collection[int]
) -> list[tuple[Report, Report]]:
    """Return the reports that these runs have graded again, with their regrades.

    Ordered by report.
    """
    first, second = aliased(Report), aliased(Report)
    statement = (
        select(first, second)
        .join(second, second.regrade_of_id == first.id)
        .where(second.run_id.in_(run_ids))
        .order_by(first.id)
    )
    return [(row[0], row[1]) for row in await session.execute(statement)]


def _regraded_by(run_ids: Collection[int]) -> ColumnElement[bool]:
    return Report.regrade_of_id.is_not(None) & Report.run_id.in_(run_ids)
