"""SQL of the comparison with human grades.

Contains the reports to sample, their windows, and the grades of the model.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, any_, case, func, select, true, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.domain.criteria import GRADE_COLUMNS
from app.domain.messages import Side
from app.models import Message, Report, Review
from app.repositories.message_conditions import is_bot
from app.repositories.report_conditions import is_written_in
from app.repositories.sql_values import bigint_array, inline

_GRADES = tuple(getattr(Report, column) for column in GRADE_COLUMNS)


class Candidate(NamedTuple):
    """A report that may be sampled. ``grades``: the model's, in the order of the criteria."""

    report_id: int
    account_id: int
    prompt_version: str
    grades: tuple[str, ...]


class WindowMessage(NamedTuple):
    """One message of a report's window."""

    report_id: int
    message_id: int
    side: str
    sent_at: datetime
    text: str
    has_text: bool


class GradedReport(NamedTuple):
    """The model's grades of a report, in the order of the criteria."""

    report_id: int
    model: str
    prompt_version: str
    grades: tuple[str, ...]


class ReviewedReport(NamedTuple):
    """A report with a current review.

    ``grades``: the model's, in the order of the criteria. ``given``: the grades that the reviewer
    named, by column.
    """

    report_id: int
    grades: tuple[str, ...]
    given: dict[str, str]


_MESSAGE, _FIRST, _LAST = (aliased(Message, name=name) for name in ("message", "first", "last"))


def _select_window(*columns: Any) -> Select[Any]:
    """Select from the messages between a report's first and last one, without system messages."""
    position = tuple_(_MESSAGE.sent_at, _MESSAGE.id)
    bounds = tuple_(_FIRST.sent_at, _FIRST.id), tuple_(_LAST.sent_at, _LAST.id)
    return (
        select(*columns)
        .select_from(_MESSAGE)
        .join(_FIRST, _FIRST.id == Report.first_message_id)
        .join(_LAST, _LAST.id == Report.last_message_id)
        .where(
            _MESSAGE.chat_id == Report.chat_id,
            _MESSAGE.side != Side.SYSTEM,
            position.between(*bounds),
        )
        .correlate(Report)
    )


async def count_chats(session: AsyncSession, start: datetime | None, end: datetime | None) -> int:
    """Return the number of chats with a report written in ``[start, end)``."""
    chats = func.count(Report.chat_id.distinct())
    return await session.scalar(select(chats).where(is_written_in(start, end))) or 0


async def list_candidates(
    session: AsyncSession, start: datetime | None, end: datetime | None
) -> list[Candidate]:
    """Return the newest report of each chat whose window is unchanged.

    Only chats with a report written in ``[start, end)``.

    If a message between the first and the last one was copied later, the model has not seen it, so
    a person cannot compare the grades.
    """
    is_unchanged = Report.window_messages == _select_window(func.count()).scalar_subquery()
    statement = (
        select(Report.id, Report.account_id, Report.prompt_version, *_GRADES)
        .where(is_written_in(start, end), is_unchanged)
        .ext(distinct_on(Report.chat_id))
        .order_by(Report.chat_id, Report.created_at.desc(), Report.id.desc())
    )
    rows = await session.execute(statement)
    return [Candidate(row[0], row[1], row[2], tuple(row[3:])) for row in rows]


async def list_window_messages(
    session: AsyncSession, report_ids: Sequence[int]
) -> list[WindowMessage]:
    """Return the windows of these reports, each oldest message first."""
    side = case((is_bot(_MESSAGE), inline(Side.BOT)), else_=_MESSAGE.side).label("side")
    seen = _select_window(
        _MESSAGE.id, side, _MESSAGE.sent_at, _MESSAGE.text, _MESSAGE.has_text
    ).lateral("seen")
    statement = (
        select(Report.id, *seen.c)
        .join(seen, true())
        .where(Report.id == any_(bigint_array(report_ids)))
        .order_by(Report.id, seen.c.sent_at, seen.c.id)
    )
    return [WindowMessage(*row) for row in await session.execute(statement)]


async def get_titles(session: AsyncSession, report_ids: Sequence[int]) -> dict[int, str]:
    """Return the listing titles of these reports' chats, as stored with the reports."""
    title = Report.body["chat_title"].as_string()
    statement = select(Report.id, title).where(Report.id == any_(bigint_array(report_ids)))
    return {row[0]: row[1] for row in await session.execute(statement)}


async def list_graded(session: AsyncSession, report_ids: Sequence[int]) -> list[GradedReport]:
    """Return those of these reports that exist, of either kind."""
    statement = (
        select(Report.id, Report.model, Report.prompt_version, *_GRADES)
        .where(Report.id == any_(bigint_array(report_ids)))
        .order_by(Report.id)
    )
    rows = await session.execute(statement)
    return [GradedReport(row[0], row[1], row[2], tuple(row[3:])) for row in rows]


async def list_reviewed(session: AsyncSession) -> list[ReviewedReport]:
    """Return all reports with a current review that names a grade. Blind labels are left out."""
    statement = (
        select(Report.id, Review.given, *_GRADES)
        .join(Review, Review.report_id == Report.id)
        .where(Review.ended_at.is_(None), ~Review.blind, Review.given != {})
        .order_by(Report.id)
    )
    rows = await session.execute(statement)
    return [ReviewedReport(row[0], tuple(row[2:]), row[1]) for row in rows]
