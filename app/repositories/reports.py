"""SQL of the reports. The list of ``GET /reports`` has its own: ``report_list``."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import cast, func, insert, select, update
from sqlalchemy.dialects.postgresql import REGCLASS
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Account, Report
from app.repositories.report_conditions import IS_GRADING


async def add_reports(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert reports. The keys of a row are columns."""
    if rows:
        await session.execute(insert(Report), [dict(row) for row in rows])


async def reserve_number(session: AsyncSession) -> int:
    """Reserve the number of a new report. Its stored body contains the number too."""
    sequence = func.pg_get_serial_sequence(Report.__tablename__, Report.id.key)
    return int(await session.scalar(select(func.nextval(cast(sequence, REGCLASS)))) or 0)


async def count_by_run(session: AsyncSession, run_id: int) -> int:
    """Return the number of reports that a run has written, in all its processes."""
    return int(await session.scalar(select(func.count()).where(Report.run_id == run_id)) or 0)


async def list_by_run(session: AsyncSession, run_id: int) -> list[Report]:
    """Return the reports that a run has written, worst score first."""
    return list(
        await session.scalars(
            select(Report).where(Report.run_id == run_id).order_by(Report.score, Report.id)
        )
    )


async def list_bodies_by_chat(session: AsyncSession, chat_id: int) -> list[dict[str, Any]]:
    """Return the bodies of the chat's reports for REST, newest first, without regrades."""
    statement = (
        select(Report.body)
        .where(Report.chat_id == chat_id, IS_GRADING)
        .order_by(Report.created_at.desc(), Report.id.desc())
    )
    return list(await session.scalars(statement))


async def get_report(session: AsyncSession, report_id: int) -> tuple[Report, Account] | None:
    """Return a report of any kind and the account of its chat."""
    statement = (
        select(Report, Account)
        .join(Account, Account.id == Report.account_id)
        .where(Report.id == report_id)
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else (row[0], row[1])


async def sum_cost(session: AsyncSession, start: datetime, end: datetime) -> Decimal:
    """Return the cost in USD of the reports written in ``[start, end)``."""
    statement = select(func.coalesce(func.sum(Report.cost_usd), 0)).where(
        Report.created_at >= start, Report.created_at < end
    )
    return Decimal(await session.scalar(statement) or 0)


async def get_mean_completion_tokens(session: AsyncSession) -> float | None:
    """Return the mean number of completion tokens of one grading among the newest 200 reports.

    Reports of two gradings count, as half, only if there are no others. None without reports.
    """
    newest = (
        select(Report.completion_tokens, Report.repeat.is_(None).label("is_single"))
        .order_by(Report.id.desc())
        .limit(200)
        .subquery()
    )
    mean_of_all = func.avg(newest.c.completion_tokens)
    mean_of_single = mean_of_all.filter(newest.c.is_single)
    mean = await session.scalar(select(func.coalesce(mean_of_single, mean_of_all / 2)))
    return None if mean is None else float(mean)


async def mark_mailed(session: AsyncSession, digest_id: int, *, before: datetime | None) -> int:
    """Assign all unmailed reports created before the cut-off to a mail; return their number.

    ``before`` None: the cut-off is now. Every stored report was created before it, whatever its
    clock showed.
    """
    conditions = [Report.digest_id.is_(None), IS_GRADING]
    if before is not None:
        conditions.append(Report.created_at < before)
    # The count is taken in SQL: a mail may carry many thousands of reports.
    carried = (
        update(Report).where(*conditions).values(digest_id=digest_id).returning(Report.id)
    ).cte("carried")
    return await session.scalar(select(func.count()).select_from(carried)) or 0


async def count_unmailed(session: AsyncSession, before: datetime | None) -> int:
    """Return the number of reports that the next mail with this cut-off would carry; None: now."""
    statement = select(func.count()).where(Report.digest_id.is_(None), IS_GRADING)
    return int(
        await session.scalar(
            statement if before is None else statement.where(Report.created_at < before)
        )
        or 0
    )
