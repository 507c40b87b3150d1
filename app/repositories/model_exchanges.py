"""SQL of the model exchanges."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import ModelExchange


async def add_exchanges(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add exchanges in their order."""
    if rows:
        await session.execute(insert(ModelExchange), rows)


async def list_of_report(session: AsyncSession, report_id: int) -> list[ModelExchange]:
    """Return the exchanges of a report, in their order."""
    statement = select(ModelExchange).where(ModelExchange.report_id == report_id)
    return list(await session.scalars(statement.order_by(ModelExchange.id)))


async def list_questions(
    session: AsyncSession, report_ids: Collection[int]
) -> dict[int, dict[str, Any]]:
    """Return the last question about each report; none for reports of earlier versions."""
    statement = (
        select(ModelExchange.report_id, ModelExchange.question)
        .where(ModelExchange.report_id.in_(report_ids))
        .order_by(ModelExchange.id)
    )
    rows = await session.execute(statement)
    return {report_id: question for report_id, question in rows if report_id is not None}


async def list_of_failure(
    session: AsyncSession, chat_id: int, run_id: int | None
) -> list[ModelExchange]:
    """Return the exchanges of the run in which grading the chat failed, in their order."""
    statement = select(ModelExchange).where(
        ModelExchange.chat_id == chat_id,
        ModelExchange.run_id == run_id,
        ModelExchange.report_id.is_(None),
    )
    return list(await session.scalars(statement.order_by(ModelExchange.id)))
