"""SQL of the reports."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Account, Report, ReportKind


async def add_reports(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes reports, column by column."""
    if rows:
        await session.execute(insert(Report), [dict(row) for row in rows])


async def next_number(session: AsyncSession) -> int:
    """The number of a report that is still to be written; it stands in its stored body as well."""
    return int(
        await session.scalar(text("SELECT nextval(pg_get_serial_sequence('reports', 'id'))")) or 0
    )


async def count_by_run(session: AsyncSession, run_id: int) -> int:
    """The reports that a run has written, over all its processes."""
    return int(await session.scalar(select(func.count()).where(Report.run_id == run_id)) or 0)


async def list_by_run(session: AsyncSession, run_id: int) -> list[Report]:
    """The reports that a run has written, worst score first."""
    return list(
        await session.scalars(
            select(Report).where(Report.run_id == run_id).order_by(Report.score, Report.id)
        )
    )


async def list_bodies_by_chat(session: AsyncSession, chat_id: int) -> list[dict[str, Any]]:
    """What REST answers of the chat's reports, newest first; regrades are none."""
    statement = (
        select(Report.body)
        .where(Report.chat_id == chat_id, Report.kind == ReportKind.GRADING)
        .order_by(Report.created_at.desc(), Report.id.desc())
    )
    return list(await session.scalars(statement))


async def get_report(session: AsyncSession, report_id: int) -> tuple[Report, Account] | None:
    """A report of any kind and the account of its chat."""
    statement = (
        select(Report, Account)
        .join(Account, Account.id == Report.account_id)
        .where(Report.id == report_id)
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else (row[0], row[1])


async def sum_cost(session: AsyncSession, start: datetime, end: datetime) -> Decimal:
    """USD spent on the reports written from ``start`` up to and without ``end``."""
    statement = select(func.coalesce(func.sum(Report.cost_usd), 0)).where(
        Report.created_at >= start, Report.created_at < end
    )
    return Decimal(await session.scalar(statement) or 0)


async def mean_completion_tokens(session: AsyncSession) -> float | None:
    """What the newest gradings' answers have taken on average; None where there are none."""
    newest = select(Report.completion_tokens).order_by(Report.id.desc()).limit(200).subquery()
    mean = await session.scalar(select(func.avg(newest.c.completion_tokens)))
    return None if mean is None else float(mean)


async def mark_mailed(session: AsyncSession, digest_id: int, *, before: datetime | None) -> int:
    """Assign every report not mailed yet and created before the cut-off to a mail; return how many.

    ``before`` None: the cut-off is now, so every stored report was created before it, whatever the
    clock showed then.
    """
    statement = text("""
        WITH carried AS (
            UPDATE reports SET digest_id = :digest_id
            WHERE digest_id IS NULL AND kind = :kind AND (CAST(:before AS timestamptz) IS NULL OR created_at < :before) RETURNING id
        ) SELECT count(*) FROM carried
        """)
    parameters = {"digest_id": digest_id, "before": before, "kind": ReportKind.GRADING.value}
    return int(await session.scalar(statement, parameters) or 0)


async def count_unmailed(session: AsyncSession, before: datetime | None) -> int:
    """The reports that the next mail with this cut-off would carry; None: the cut-off is now."""
    statement = select(func.count()).where(
        Report.digest_id.is_(None), Report.kind == ReportKind.GRADING
    )
    return int(
        await session.scalar(
            statement if before is None else statement.where(Report.created_at < before)
        )
        or 0
    )
