"""SQL of the reports that a mail shows, and of the reports of earlier mails."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Double,
    RowMapping,
    TextClause,
    all_,
    and_,
    any_,
    cast,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.criteria import GRADE_COLUMNS
from app.domain.grades import Grade
from app.domain.thresholds import GOOD_FROM
from app.models import Account, Chat, Digest, Mark, Report, ReportFigures
from app.repositories.report_filter import ReportFilter
from app.repositories.report_measures import has_mark
from app.repositories.sql_values import bigint_array, text_array

Row = RowMapping

_HAS_LOW_GRADE = or_(*(getattr(Report, name) == Grade.LOW for name in GRADE_COLUMNS))


def build_condition(wanted: ReportFilter) -> TextClause:
    """Return the condition of the filter over ``reports`` and ``reviews``."""
    sql, parameters = wanted.condition()
    return text(sql).bindparams(**parameters)


async def list_mailed_days(session: AsyncSession, days: Sequence[date]) -> list[Row]:
    """Return the reports, mean score, series and model builds of each date.

    Dates whose mails carried no reports are left out.
    """
    series = Report.model + " " + Report.prompt_version
    builds = func.array_agg(Report.fingerprint.distinct()).filter(Report.fingerprint.is_not(None))
    statement = (
        select(
            Digest.day,
            func.count().label("reports"),
            cast(func.round(func.avg(Report.score), 2), Double).label("mean_score"),
            func.array_agg(series.distinct()).label("series"),
            func.coalesce(builds, text_array([])).label("builds"),
        )
        .join(Report, Report.digest_id == Digest.id)
        .where(Digest.day.in_(days))
        .group_by(Digest.day)
        .order_by(Digest.day)
    )
    return list((await session.execute(statement)).mappings())


async def list_worst(session: AsyncSession, wanted: ReportFilter, *, limit: int) -> list[Row]:
    """Return the reports with the lowest scores that have a low grade."""
    order = Report.score, Report.id
    return await _list_shown(session, wanted, _HAS_LOW_GRADE, order, limit)


async def list_best(
    session: AsyncSession, wanted: ReportFilter, *, waiting: Sequence[int], limit: int
) -> list[Row]:
    """Return the reports with scores from ``GOOD_FROM`` on and no low grade, best first.

    Of equal scores, reports with a handled objection and with more messages come first.

    Reports of chats that address the grader, reports with an unproven grade or a contradiction and
    chats of ``waiting`` buyers are left out.
    """
    is_good = and_(
        Report.score >= GOOD_FROM,
        ~_HAS_LOW_GRADE,
        ~has_mark(ReportFigures.marks, Mark.ADDRESSED),
        ~has_mark(ReportFigures.marks, Mark.UNPROVEN),
        ~has_mark(ReportFigures.marks, Mark.CONTRADICTING),
        Chat.id != all_(bigint_array(waiting)),
    )
    order = (
        Report.score.desc(),
        (Report.objection_handling_grade == Grade.HIGH).desc(),
        Report.window_messages.desc(),
        Report.id,
    )
    return await _list_shown(session, wanted, is_good, order, limit)


async def _list_shown(
    session: AsyncSession,
    wanted: ReportFilter,
    condition: ColumnElement[bool],
    order: Sequence[Any],
    limit: int,
) -> list[Row]:
    """Return reports of the filter that meet the condition, of each chat only its newest one.

    Their ids are found first, as an array: a join would read all figures if Postgres expects many
    reports.
    """
    newest = select(func.max(Report.id)).where(build_condition(wanted)).group_by(Report.chat_id)
    statement = (
        select(
            Report.id,
            Account.name.label("account"),
            Chat.avito_id,
            Report.body["chat_title"].as_string().label("chat_title"),
            Report.body["client_name"].as_string().label("client_name"),
            cast(Report.score, Double).label("score"),
            Report.detail,
            has_mark(ReportFigures.marks, Mark.ADDRESSED).label("addressed"),
        )
        .join(Chat, Chat.id == Report.chat_id)
        .join(Account, Account.id == Report.account_id)
        .join(ReportFigures, ReportFigures.report_id == Report.id)
        .where(Report.id == any_(func.array(newest.scalar_subquery())), condition)
        .order_by(*order)
        .limit(limit)
    )
    return list((await session.execute(statement)).mappings())
