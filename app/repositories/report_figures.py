"""SQL of figures over reports: one set of queries, be the reports a mail's, those of a date's
mails, or a period's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.repositories.reviews import IN_FORCE

Row = RowMapping

_CRITERIA = (
    "tonality",
    "professionalism",
    "clarity",
    "problem_solving",
    "objection_handling",
    "closure",
)
_ADDRESSED = "jsonb_exists(report.detail -> 'flags', 'addresses_grader')"
_UNPROVEN = "jsonb_exists(report.detail -> 'flags', 'no_evidence')"
_GRADE_COLUMNS = ", ".join(f"{name}_grade" for name in _CRITERIA)


@dataclass(frozen=True)
class Selection:
    """Which reports: those that these mails carry, those of these dates' mails, those written in
    ``[start, end)``, those of an account.

    What is None narrows nothing. ``account``: a name or Avito's number. ``reviewed``: counted are
    the grades after a person's review.
    """

    digest_ids: list[int] | None = None
    mailed_on: list[date] | None = None
    start: datetime | None = None
    end: datetime | None = None
    account: str | None = None
    reviewed: bool = False

    def counted(self, column: str) -> str:
        """A grade's or the score's column as SQL over ``reports report`` and ``review``, under its
        own name.
        """
        return (
            f"coalesce(review.{column}, report.{column}) AS {column}"
            if self.reviewed
            else f"report.{column}"
        )

    def condition(self) -> tuple[str, dict[str, Any]]:
        """SQL over ``reports report`` and its parameters; regrades are never in it."""
        of_mails = "report.digest_id IN (SELECT id FROM digests WHERE day = ANY(:mailed_on))"
        of_account = (
            "report.account_id IN (SELECT id FROM accounts WHERE name = :account OR"
            " avito_user_id::text = :account)"
        )
        known = (
            ("report.digest_id = ANY(:digest_ids)", "digest_ids", self.digest_ids),
            (of_mails, "mailed_on", self.mailed_on),
            ("report.created_at >= :start", "start", self.start),
            ("report.created_at < :end", "end", self.end),
            (of_account, "account", self.account),
        )
        asked = [(sql, name, value) for sql, name, value in known if value is not None]
        conditions = ["report.kind = 'grading'", *(sql for sql, _, _ in asked)]
        return " AND ".join(conditions), {name: value for _, name, value in asked}


async def measure(session: AsyncSession, selection: Selection, zone: str) -> list[Row]:
    """Counts, mean score, bad ones (under 50), first answers, reviews, cost: of all, and for each
    day, account and series.

    ``addressed`` counts those whose chat speaks to the grader, ``unproven`` those with a high or
    low grade without a verified quote.

    In the row of all, ``day``, ``account_id`` and ``model`` are None; in every other row exactly
    one of them is not. Days are those on which the reports were written, in ``zone``. A first
    answer is counted where the report has one; its times are in seconds.
    """
    return await _select(
        session,
        selection,
        """
        SELECT day, account_id, model, prompt_version, count(*) AS reports, count(DISTINCT chat_id) AS chats,
               avg(score)::float8 AS mean_score, count(*) FILTER (WHERE score < 50) AS bad_reports, count(waited) AS answered,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY waited) AS median_seconds,
               percentile_cont(0.9) WITHIN GROUP (ORDER BY waited) AS p90_seconds, count(review_id) AS reviewed,
               count(*) FILTER (WHERE addressed) AS addressed, count(*) FILTER (WHERE unproven) AS unproven,
               CASE WHEN bool_and(cost_usd IS NOT NULL) THEN sum(cost_usd) END AS cost_usd
        FROM selected GROUP BY GROUPING SETS ((), (day), (account_id), (model, prompt_version))
        ORDER BY day, account_id, min(id)
        """,
        columns=f"""
            (report.detail #>> '{{answer_times,first_answer_seconds}}')::float8 AS waited,
            {_ADDRESSED} AS addressed, {_UNPROVEN} AS unproven
        """,
        zone=zone,
    )


async def count_grades(session: AsyncSession, selection: Selection, zone: str) -> list[Row]:
    """How often each grade was given (criterion, grade, reports), of all and split as
    :func:`measure` splits.
    """
    graded = ", ".join(f"('{name}', {name}_grade)" for name in _CRITERIA)
    splits = ", ".join(
        f"(criterion, grade{more})"
        for more in ("", ", day", ", account_id", ", model, prompt_version")
    )
    return await _select(
        session,
        selection,
        f"""
        SELECT day, account_id, model, prompt_version, criterion, grade, count(*) AS reports
        FROM selected, LATERAL (VALUES {graded}) AS graded (criterion, grade) GROUP BY GROUPING SETS ({splits})
        """,  # noqa: S608 - our own columns
        columns=", ".join(selection.counted(f"{name}_grade") for name in _CRITERIA),
        zone=zone,
    )


async def list_mailed_days(
    session: AsyncSession, days: Sequence[date], digest_ids: Sequence[int]
) -> list[Row]:
    """For each of these dates whose mails carried reports, and for these mails: day, reports, mean
    score, and what graded them.
    """
    statement = text("""
        SELECT digest.day, count(*) AS reports, avg(score)::float8 AS mean_score,
               array_agg(DISTINCT model || ' ' || prompt_version) AS series,
               coalesce(array_agg(DISTINCT fingerprint) FILTER (WHERE fingerprint IS NOT NULL), '{}') AS builds
        FROM digests digest JOIN reports report ON report.digest_id = digest.id
        WHERE digest.day = ANY(:days) OR digest.id = ANY(:digest_ids) GROUP BY 1 ORDER BY 1
        """)
    return _rows(
        await session.execute(statement, {"days": list(days), "digest_ids": list(digest_ids)})
    )


async def list_worst(session: AsyncSession, selection: Selection, *, limit: int) -> list[Row]:
    """The reports with the lowest scores, those with no low grade left out."""
    return await _list_shown(
        session, selection, f"'Низкая' IN ({_GRADE_COLUMNS})", "score, report.id", limit
    )


async def list_best(
    session: AsyncSession, selection: Selection, *, waiting: Sequence[int], limit: int
) -> list[Row]:
    """The reports with scores from 80 and no low grade, best first; of equals the one with more to
    learn from.

    A chat that speaks to the grader is no example, nor one with a grade that no quote proves, nor
    those ``waiting`` for an answer.
    """
    order = (
        "score DESC, (objection_handling_grade = 'Высокая') DESC, window_messages DESC, report.id"
    )
    which = (
        f"score >= 80 AND 'Низкая' NOT IN ({_GRADE_COLUMNS}) AND NOT {_ADDRESSED} AND NOT"
        f" {_UNPROVEN} AND chat.id <> ALL(:waiting)"
    )
    return await _list_shown(session, selection, which, order, limit, waiting=list(waiting))


async def list_bodies(session: AsyncSession, selection: Selection, *, limit: int) -> list[str]:
    """What ``GET /reports`` gives of them, as JSON, in its order."""
    condition, parameters = selection.condition()
    statement = text(
        f"SELECT body::text FROM reports report WHERE {condition} ORDER BY created_at DESC, id DESC LIMIT :limit"  # noqa: S608
    )
    return list(await session.scalars(statement, parameters | {"limit": limit}))


async def _select(
    session: AsyncSession, selection: Selection, sql: str, *, columns: str, zone: str
) -> list[Row]:
    """Runs a query over ``selected``: the reports of the selection with their splits and the named
    columns.
    """
    condition, parameters = selection.condition()
    statement = text(f"""
        WITH selected AS (
            SELECT report.id, chat_id, account_id, (report.created_at AT TIME ZONE :zone)::date AS day, model, prompt_version,
                   {selection.counted("score")}, cost_usd, review.id AS review_id, {columns}
            FROM reports report {IN_FORCE} WHERE {condition}
        ) {sql}
        """)  # noqa: S608 - our own columns and conditions; values are parameters
    return _rows(await session.execute(statement, parameters | {"zone": zone}))


async def _list_shown(
    session: AsyncSession, selection: Selection, which: str, order: str, limit: int, **named: Any
) -> list[Row]:
    """Each chat at most once, by its newest report of the selection; ``named``: the parameters of
    ``which``.
    """
    condition, parameters = selection.condition()
    newest = f"report.id IN (SELECT max(report.id) FROM reports report WHERE {condition} GROUP BY report.chat_id)"  # noqa: S608 - as below
    statement = text(f"""
        SELECT report.id, chat.avito_id, body ->> 'chat_title' AS chat_title, body ->> 'client_name' AS client_name,
               report.score::float8 AS score, report.detail, {_ADDRESSED} AS addressed
        FROM reports report JOIN chats chat ON chat.id = report.chat_id
        WHERE {newest} AND {which} ORDER BY {order} LIMIT :limit
        """)  # noqa: S608 - our own columns and conditions; values are parameters
    return _rows(await session.execute(statement, parameters | named | {"limit": limit}))


def _rows(result: Any) -> list[Row]:
    return list(result.mappings())
