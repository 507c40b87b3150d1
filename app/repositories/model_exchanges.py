"""SQL of the model exchanges."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, insert, select
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


async def list_of_failure(session: AsyncSession, chat_id: int) -> list[ModelExchange]:
    """Return the exchanges of the latest run in which grading the chat failed, in their order."""
    failed = (ModelExchange.chat_id == chat_id) & ModelExchange.report_id.is_(None)
    newest = select(func.max(ModelExchange.run_id)).where(failed).scalar_subquery()
    statement = select(ModelExchange).where(failed, ModelExchange.run_id == newest)
    return list(await session.scalars(statement.order_by(ModelExchange.id)))
