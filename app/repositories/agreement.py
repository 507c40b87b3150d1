"""SQL of what people grade by hand: reports to draw from, the messages that each has graded, the
machine's grades.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Report

_GRADES = ", ".join(
    f"report.{column.name}" for column in Report.__table__.columns if column.name.endswith("_grade")
)
# The people's messages from a report's first to its last: what grading has seen.
_WINDOW = """
    messages message
    JOIN messages first_one ON first_one.id = report.first_message_id
    JOIN messages last_one ON last_one.id = report.last_message_id
    WHERE message.chat_id = report.chat_id AND message.side <> 'system'
      AND (message.sent_at, message.id) BETWEEN (first_one.sent_at, first_one.id) AND (last_one.sent_at, last_one.id)
"""
_IN_PERIOD = """
    report.kind = 'grading' AND (CAST(:start AS timestamptz) IS NULL OR report.created_at >= :start)
    AND (CAST(:end AS timestamptz) IS NULL OR report.created_at < :end)
"""


class Candidate(NamedTuple):
    """A report that can be graded by hand; ``grades`` are the machine's, in the order of the
    model's columns.
    """

    report_id: int
    account_id: int
    prompt_version: str
    grades: tuple[str, ...]


class WindowMessage(NamedTuple):
    """One of the messages that a report has graded."""

    report_id: int
    message_id: int
    side: str
    sent_at: datetime
    text: str
    has_text: bool


class GradedReport(NamedTuple):
    """The machine's word on a report; ``grades`` in the order of the model's columns."""

    report_id: int
    model: str
    prompt_version: str
    grades: tuple[str, ...]


class ReviewedReport(NamedTuple):
    """A report with a person's word in force: what the machine said, and what the person named of
    it.
    """

    report_id: int
    grades: tuple[str, ...]
    given: dict[str, str]


async def count_chats(session: AsyncSession, start: datetime | None, end: datetime | None) -> int:
    """The chats with a report written in ``[start, end)``."""
    statement = text(
        f"SELECT count(DISTINCT report.chat_id) FROM reports report WHERE {_IN_PERIOD}"
    )  # noqa: S608 - our own
    return int(await session.scalar(statement, {"start": start, "end": end}) or 0)


async def list_candidates(
    session: AsyncSession, start: datetime | None, end: datetime | None
) -> list[Candidate]:
    """Of each chat with a report written in ``[start, end)`` the newest one whose messages are
    still those that it graded.

    A message that was copied late and stands in between has not been graded: nobody could judge the
    grade by it.
    """
    statement = text(f"""
        SELECT DISTINCT ON (report.chat_id) report.id, report.account_id, report.prompt_version, {_GRADES} FROM reports report
        WHERE {_IN_PERIOD} AND report.window_messages = (SELECT count(*) FROM {_WINDOW})
        ORDER BY report.chat_id, report.created_at DESC, report.id DESC
        """)  # noqa: S608 - our own
    rows = await session.execute(statement, {"start": start, "end": end})
    return [Candidate(row[0], row[1], row[2], tuple(row[3:])) for row in rows]


async def list_window_messages(
    session: AsyncSession, report_ids: Sequence[int]
) -> list[WindowMessage]:
    """What these reports have graded, each report's messages oldest first."""
    statement = text(f"""
        SELECT report.id, seen.id, seen.side, seen.sent_at, seen.text, seen.has_text
        FROM reports report, LATERAL (SELECT message.* FROM {_WINDOW}) seen
        WHERE report.id = ANY(:ids) ORDER BY report.id, seen.sent_at, seen.id
        """)  # noqa: S608 - our own
    return [
        WindowMessage(*row) for row in await session.execute(statement, {"ids": list(report_ids)})
    ]


async def get_titles(session: AsyncSession, report_ids: Sequence[int]) -> dict[int, str]:
    """The listing of each of these reports' chats, as the report has it."""
    statement = text("SELECT id, body->>'chat_title' FROM reports WHERE id = ANY(:ids)")
    return {row[0]: row[1] for row in await session.execute(statement, {"ids": list(report_ids)})}


async def list_graded(session: AsyncSession, report_ids: Sequence[int]) -> list[GradedReport]:
    """Those of these reports that there are, of either kind."""
    statement = text(f"""
        SELECT report.id, report.model, report.prompt_version, {_GRADES} FROM reports report
        WHERE report.id = ANY(:ids) ORDER BY report.id
        """)  # noqa: S608 - our own
    rows = await session.execute(statement, {"ids": list(report_ids)})
    return [GradedReport(row[0], row[1], row[2], tuple(row[3:])) for row in rows]


async def list_reviewed(session: AsyncSession) -> list[ReviewedReport]:
    """Every report with a person's word in force that names a grade."""
    statement = text(f"""
        SELECT report.id, review.given, {_GRADES} FROM reports report JOIN reviews review ON review.report_id = report.id
        WHERE review.ended_at IS NULL AND review.given <> '{{}}' ORDER BY report.id
        """)  # noqa: S608 - our own
    return [
        ReviewedReport(row[0], tuple(row[2:]), row[1]) for row in await session.execute(statement)
    ]
