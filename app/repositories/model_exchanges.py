"""SQL of the exchanges with the model, which are stored packed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import PackedExchange
from app.repositories.exchange_packing import ExchangeTexts, pack_texts, unpack_texts


@dataclass(frozen=True)
class StoredExchange:
    """A stored exchange. The question contains ``messages``, the ids of the window."""

    asked_at: datetime
    purpose: str
    prompt_version: str
    question: dict[str, Any]
    parameters: str
    request_sha256: str
    answer: str


_COLUMNS = ("report_id", "chat_id", "run_id", "asked_at", "purpose", "prompt_version")


async def add_exchanges(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add exchanges in their order. A row has the columns and ``ExchangeTexts``."""
    packed = [
        {
            **{name: row[name] for name in _COLUMNS},
            "content": pack_texts(ExchangeTexts(*(row[name] for name in ExchangeTexts._fields))),
        }
        for row in rows
    ]
    if packed:
        await session.execute(insert(PackedExchange), packed)


async def list_of_report(session: AsyncSession, report_id: int) -> list[StoredExchange]:
    """Return the exchanges of a report, in their order."""
    return await _list_exchanges(session, PackedExchange.report_id == report_id)


async def list_of_failure(
    session: AsyncSession, chat_id: int, run_id: int | None
) -> list[StoredExchange]:
    """Return the exchanges of the run in which grading the chat failed, in their order."""
    return await _list_exchanges(
        session,
        PackedExchange.chat_id == chat_id,
        PackedExchange.run_id == run_id,
        PackedExchange.report_id.is_(None),
    )


async def list_questions(
    session: AsyncSession, report_ids: Collection[int]
) -> dict[int, dict[str, Any]]:
    """Return the last question about each report; none for reports of earlier versions."""
    statement = (
        select(PackedExchange.report_id, PackedExchange.content)
        .where(PackedExchange.report_id.in_(report_ids))
        .order_by(PackedExchange.id)
    )
    last = {row.report_id: row.content for row in await session.execute(statement)}
    return {report_id: unpack_texts(content).question for report_id, content in last.items()}


async def _list_exchanges(
    session: AsyncSession, *conditions: ColumnElement[bool]
) -> list[StoredExchange]:
    statement = select(PackedExchange).where(*conditions).order_by(PackedExchange.id)
    return [_unpack_row(row) for row in await session.scalars(statement)]


def _unpack_row(row: PackedExchange) -> StoredExchange:
    return StoredExchange(row.asked_at, row.purpose, row.prompt_version, *unpack_texts(row.content))
