"""SQL of the model exchanges: packed ones, and those that the release before has stored."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import ModelExchange, PackedExchange
from app.repositories.exchange_packing import ExchangeTexts, pack_texts, unpack_texts


@dataclass(frozen=True)
class StoredExchange:
    """A stored exchange.

    ``first_message_id`` and ``last_message_id``: of the window.
    """

    asked_at: datetime
    purpose: str
    prompt_version: str
    first_message_id: int
    last_message_id: int
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
    return await _list_exchanges(
        session, ModelExchange.report_id == report_id, PackedExchange.report_id == report_id
    )


async def list_of_failure(
    session: AsyncSession, chat_id: int, run_id: int | None
) -> list[StoredExchange]:
    """Return the exchanges of the run in which grading the chat failed, in their order."""
    old, new = (
        (table.chat_id == chat_id) & (table.run_id == run_id) & table.report_id.is_(None)
        for table in (ModelExchange, PackedExchange)
    )
    return await _list_exchanges(session, old, new)


async def list_questions(
    session: AsyncSession, report_ids: Collection[int]
) -> dict[int, dict[str, Any]]:
    """Return the last question about each report; none for reports of earlier versions."""
    old = (
        select(ModelExchange.report_id, ModelExchange.question)
        .where(ModelExchange.report_id.in_(report_ids))
        .order_by(ModelExchange.id)
    )
    new = (
        select(PackedExchange.report_id, PackedExchange.content)
        .where(PackedExchange.report_id.in_(report_ids))
        .order_by(PackedExchange.id)
    )
    questions = {row[0]: row[1] for row in await session.execute(old)}
    packed = {row[0]: row[1] for row in await session.execute(new)}
    return questions | {
        report_id: unpack_texts(content).question for report_id, content in packed.items()
    }


async def _list_exchanges(
    session: AsyncSession, old: ColumnElement[bool], new: ColumnElement[bool]
) -> list[StoredExchange]:
    """Return the exchanges of both tables. Those of one grading are in one of them."""
    stored = await session.scalars(select(ModelExchange).where(old).order_by(ModelExchange.id))
    packed = await session.scalars(select(PackedExchange).where(new).order_by(PackedExchange.id))
    return [*map(_read_row, stored), *map(_unpack_row, packed)]


def _read_row(row: ModelExchange) -> StoredExchange:
    return StoredExchange(
        row.asked_at,
        row.purpose,
        row.prompt_version,
        row.first_message_id,
        row.last_message_id,
        row.question,
        row.parameters,
        row.request_sha256,
        row.answer,
    )


def _unpack_row(row: PackedExchange) -> StoredExchange:
    texts = unpack_texts(row.content)
    window = texts.question["messages"]
    return StoredExchange(
        row.asked_at, row.purpose, row.prompt_version, window[0], window[-1], *texts
    )
