"""SQL of the mails: which there are, and the figures that one shows."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Result, RowMapping, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from app.models import Digest, DigestKind, Message

Row = RowMapping


async def add_digest(session: AsyncSession, *, day: date, kind: DigestKind, run_id: int, period_end: datetime, now: datetime) -> int | None:
    """Begins a mail whose figures are still to be filled in; None where the date's daily mail exists already."""
    statement = (
        insert(Digest)
        .values(day=day, kind=kind, run_id=run_id, period_end=period_end, figures={}, reports_count=0, subject="", created_at=now)
        .on_conflict_do_nothing()
        .returning(Digest.id)
    )
    return await session.scalar(statement)


async def complete_digest(
    session: AsyncSession,
    digest_id: int,
    *,
    period_start: datetime,
    after_message_id: int | None,
    last_message_id: int,
    figures: Mapping[str, Any],
    reports_count: int,
    subject: str,
    mime: bytes,
) -> None:
    """Fills a mail in."""
    values = {
        "period_start": period_start,
        "after_message_id": after_message_id,
        "last_message_id": last_message_id,
        "figures": dict(figures),
        "reports_count": reports_count,
        "subject": subject,
        "mime": mime,
    }
    await session.execute(update(Digest).where(Digest.id == digest_id).values(values))


async def get_digest_by_run(session: AsyncSession, run_id: int) -> Digest | None:
    """The mail that a run has put together."""
    return (await session.scalars(select(Digest).where(Digest.run_id == run_id))).one_or_none()


async def get_digest(session: AsyncSession, digest_id: int) -> Digest:
    """A mail without its bytes."""
    statement = select(Digest).where(Digest.id == digest_id).options(defer(Digest.mime, raiseload=True))
    return (await session.scalars(statement)).one()


async def get_mime(session: AsyncSession, digest_id: int) -> bytes | None:
    """The bytes of a mail, while somebody still waits for it."""
    return await session.scalar(select(Digest.mime).where(Digest.id == digest_id))


async def get_last_daily(session: AsyncSession, before: datetime) -> Digest | None:
    """The last daily run's mail with a cut-off before a moment."""
    statement = select(Digest).where(Digest.kind == DigestKind.DAILY, Digest.period_end < before)
    return (await session.scalars(statement.order_by(Digest.period_end.desc()).limit(1))).first()


async def get_span(session: AsyncSession, digest_ids: Sequence[int]) -> tuple[datetime, datetime, int | None]:
    """The period that these mails cover together, and the newest message that was here at the first of their starts."""
    spans = select(func.min(Digest.period_start), func.max(Digest.period_end), func.min(Digest.after_message_id))
    start, end, after = (await session.execute(spans.where(Digest.id.in_(digest_ids)))).one()
    return start or end, end, after


async def newest_message_id(session: AsyncSession) -> int:
    """The newest message here; to be asked for while nobody writes messages."""
    return int(await session.scalar(select(func.coalesce(func.max(Message.id), 0))) or 0)


async def list_carried(session: AsyncSession, day: date) -> list[int]:
    """The mails that carried a date's reports for the first time."""
    statement = select(Digest.id).where(Digest.day == day, Digest.kind != DigestKind.RESEND).order_by(Digest.id)
    return list(await session.scalars(statement))


async def count_brought(session: AsyncSession, run_id: int) -> int:
    """The reports that came to their first recipient in a run."""
    return int(
        await session.scalar(select(func.coalesce(func.sum(Digest.reports_count), 0)).where(Digest.first_sent_run_id == run_id)) or 0
    )


async def coverage(
    session: AsyncSession, start: datetime, end: datetime, *, after_message_id: int | None, late_since: datetime
) -> list[Row]:
    """Rows (status, reason, chats): what became of every chat in which a person wrote from ``start`` to ``end``, and of those left over.

    A message after ``after_message_id`` was copied after the last mail was put together: it counts here even if it was written before
    ``start``, but not before ``late_since``, so that an old account's import is no news.
    """
    statement = text(
        """
        WITH counted AS (
            SELECT chat.* FROM chats chat
            WHERE (chat.last_person_at >= CAST(:late_since AS timestamptz) AND EXISTS (
                    SELECT FROM messages message
                    WHERE message.chat_id = chat.id AND message.side <> 'system' AND message.sent_at < :end
                      AND (message.sent_at >= :start
                           OR (message.id > CAST(:after_message_id AS bigint) AND message.sent_at >= :late_since))))
               OR (chat.due_since IS NOT NULL AND chat.outcome IN ('failed', 'waiting'))
        ), judged AS (
            SELECT CASE WHEN due_since IS NULL THEN outcome
                        WHEN outcome = 'failed' AND outcome_message_id = last_person_message_id THEN 'failed'
                        ELSE 'waiting' END AS status,
                   outcome_reason
            FROM counted
        )
        SELECT status, CASE WHEN status = 'skipped' THEN outcome_reason END AS reason, count(*) AS chats
        FROM judged GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2
        """
    )
    parameters = {"start": start, "end": end, "after_message_id": after_message_id, "late_since": late_since}
    return _rows(await session.execute(statement, parameters))


_CRITERIA_COLUMNS = ("tonality", "professionalism", "clarity", "problem_solving", "objection_handling", "closure")


async def totals(session: AsyncSession, digest_ids: Sequence[int]) -> Row:
    """Over the reports of these mails: count, mean score, bad ones, cost, models, prompt versions."""
    statement = text(
        """
        SELECT count(*) AS reports, avg(score)::float8 AS mean_score, count(*) FILTER (WHERE score < 50) AS bad_reports,
               CASE WHEN bool_and(cost_usd IS NOT NULL) THEN sum(cost_usd) END AS cost_usd,
               coalesce(array_agg(DISTINCT model), '{}') AS models, coalesce(array_agg(DISTINCT prompt_version), '{}') AS prompt_versions
        FROM reports WHERE digest_id = ANY(:ids)
        """
    )
    return (await session.execute(statement, {"ids": list(digest_ids)})).mappings().one()


async def grade_shares(session: AsyncSession, digest_ids: Sequence[int]) -> list[Row]:
    """Rows (criterion, grade, reports) over the reports of these mails."""
    columns = ", ".join(f"('{name}', {name}_grade)" for name in _CRITERIA_COLUMNS)
    statement = text(
        f"""
        SELECT graded.criterion, graded.grade, count(*) AS reports
        FROM reports, LATERAL (VALUES {columns}) AS graded (criterion, grade)
        WHERE digest_id = ANY(:ids) GROUP BY 1, 2
        """  # noqa: S608
    )
    return _rows(await session.execute(statement, {"ids": list(digest_ids)}))


async def worst(session: AsyncSession, digest_ids: Sequence[int], *, limit: int) -> list[Row]:
    """The reports with the lowest scores, those with no low grade left out."""
    statement = text(
        """
        SELECT report.id, chat.avito_id, body ->> 'chat_title' AS chat_title, body ->> 'client_name' AS client_name,
               report.score::float8 AS score, report.detail
        FROM reports report JOIN chats chat ON chat.id = report.chat_id
        WHERE digest_id = ANY(:ids)
          AND 'Низкая' IN (tonality_grade, professionalism_grade, clarity_grade, problem_solving_grade, objection_handling_grade,
                           closure_grade)
        ORDER BY score, report.id LIMIT :limit
        """
    )
    return _rows(await session.execute(statement, {"ids": list(digest_ids), "limit": limit}))


async def waiting_buyers(session: AsyncSession, *, since: datetime, until: datetime, limit: int) -> list[Row]:
    """Chats whose last person is a buyer who wrote between the two moments, longest wait first; ``total`` counts all of them."""
    statement = text(
        """
        SELECT avito_id, item_title, client_name, waiting_since, count(*) OVER () AS total
        FROM chats WHERE last_person_side = 'client' AND last_person_at >= :since AND last_person_at < :until
        ORDER BY waiting_since, id LIMIT :limit
        """
    )
    return _rows(await session.execute(statement, {"since": since, "until": until, "limit": limit}))


async def failed_chats(session: AsyncSession, *, limit: int) -> list[Row]:
    """Chats whose last grading failed and that nothing new was written in since."""
    statement = text(
        """
        SELECT avito_id, item_title, outcome_reason FROM chats
        WHERE due_since IS NOT NULL AND outcome = 'failed' AND outcome_message_id = last_person_message_id
        ORDER BY outcome_at DESC, id LIMIT :limit
        """
    )
    return _rows(await session.execute(statement, {"limit": limit}))


async def incomplete_chats(session: AsyncSession) -> int:
    """Chats whose history Avito does not give in full."""
    statement = text("SELECT count(*) FROM chats WHERE messages_read_at IS NOT NULL AND NOT history_complete")
    return int(await session.scalar(statement) or 0)


def _rows(result: Result[Any]) -> list[Row]:
    return list(result.mappings())
