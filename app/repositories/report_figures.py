"""SQL of figures over reports. The same queries serve a mail, the mails of a date, and a period."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    CTE,
    Boolean,
    ColumnElement,
    Date,
    Double,
    RowMapping,
    Text,
    TextClause,
    all_,
    and_,
    case,
    cast,
    column,
    false,
    func,
    or_,
    select,
    text,
    true,
    tuple_,
    values,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.criteria import GRADE_COLUMNS, Criterion
from app.domain.flags import Flag, store_flags
from app.domain.grades import Grade
from app.domain.thresholds import BAD_BELOW, GOOD_FROM
from app.models import Chat, Digest, Report, Review
from app.repositories.report_filter import ReportFilter
from app.repositories.reviews import IS_CURRENT
from app.repositories.sql_values import bigint_array, text_array

Row = RowMapping


def _has_flag(flag: Flag) -> ColumnElement[bool]:
    key = next(key for key, codes in store_flags([flag]).items() if codes)
    return func.coalesce(func.jsonb_exists(Report.detail[key], flag.value, type_=Boolean), false())


_IS_ADDRESSED = _has_flag(Flag.ADDRESSES_GRADER)
_IS_UNPROVEN = _has_flag(Flag.NO_EVIDENCE)
IS_CRITICAL = _has_flag(Flag.CRITICAL)
_IS_CONTRADICTING = _has_flag(Flag.CONTRADICTION)
WAITED_SECONDS = cast(Report.detail["answer_times", "first_answer_seconds"].astext, Double)
"""The time until the first answer; NULL without one."""
_KNOWS_CONTACT = func.jsonb_exists(Report.detail, "contact", type_=Boolean)
_HAS_CONTACT = func.coalesce(func.jsonb_typeof(Report.detail["contact"]) == "object", false())
_KNOWS_BOTS = func.jsonb_exists(Report.detail, "bot_first", type_=Boolean)
_IS_BOT_FIRST = func.coalesce(Report.detail["bot_first"].as_boolean(), false())
_HAS_LOW_GRADE = or_(*(getattr(Report, name) == Grade.LOW for name in GRADE_COLUMNS))

_SPLIT_BY = ("day", "account_id", "model", "prompt_version")


def get_counted(wanted: ReportFilter, name: str) -> ColumnElement[Any]:
    """Return the column of a grade or of the score that is counted, under its own name."""
    written = getattr(Report, name)
    counted = func.coalesce(getattr(Review, name), written) if wanted.reviewed else written
    return counted.label(name)


def build_condition(wanted: ReportFilter) -> TextClause:
    """Return the condition of the filter over ``reports`` and ``reviews``."""
    sql, parameters = wanted.condition()
    return text(sql).bindparams(**parameters)


async def measure(session: AsyncSession, wanted: ReportFilter, zone: str) -> list[Row]:
    """Return the figures of all reports, of each day, of each account and of each series.

    In the row of all reports, ``day``, ``account_id`` and ``model`` are None. In any other row
    exactly one of them is set. A day is the date in ``zone`` on which a report was written.

    - ``bad_reports``: reports with a score below ``BAD_BELOW``.
    - ``answered``: reports that contain a first answer; its times are in seconds.
    - ``addressed``: reports of chats that address the grader.
    - ``unproven``: reports with a high or low grade without a verified quote.
    - ``critical``: reports with a critical fault of the seller.
    - ``contradicting``: reports in which the seller contradicts the listing or the facts.
    - ``contacts``: reports with a contact or an agreed meeting; ``contacts_known``: reports that
      know it. Reports of earlier versions do not.
    - ``bot_first``: reports of chats that a bot was the first to answer; ``bots_known``: reports
      that contain it.
    """
    selected = select_counted(
        wanted,
        zone,
        WAITED_SECONDS.label("waited"),
        _IS_ADDRESSED.label("addressed"),
        _IS_UNPROVEN.label("unproven"),
        IS_CRITICAL.label("critical"),
        _IS_CONTRADICTING.label("contradicting"),
        _HAS_CONTACT.label("has_contact"),
        _KNOWS_CONTACT.label("knows_contact"),
        _IS_BOT_FIRST.label("is_bot_first"),
        _KNOWS_BOTS.label("knows_bots"),
        get_counted(wanted, "score"),
    )
    of = selected.c
    statement = (
        select(*(of[name] for name in _SPLIT_BY), *_make_aggregates(selected))
        .group_by(
            func.grouping_sets(tuple_(), of.day, of.account_id, tuple_(of.model, of.prompt_version))
        )
        .order_by(of.day, of.account_id, func.min(of.id))
    )
    return list((await session.execute(statement)).mappings())


def _make_aggregates(selected: CTE) -> list[ColumnElement[Any]]:
    """Return the figures of a group of reports. The cost is None if that of one report is."""
    of = selected.c
    cost = case((func.bool_and(of.cost_usd.is_not(None)), func.sum(of.cost_usd)))
    return [
        func.count().label("reports"),
        func.count(of.chat_id.distinct()).label("chats"),
        cast(func.avg(of.score), Double).label("mean_score"),
        func.count().filter(of.score < BAD_BELOW).label("bad_reports"),
        func.count(of.waited).label("answered"),
        func.percentile_cont(0.5).within_group(of.waited).label("median_seconds"),
        func.percentile_cont(0.9).within_group(of.waited).label("p90_seconds"),
        func.count(of.review_id).label("reviewed"),
        func.count().filter(of.addressed).label("addressed"),
        func.count().filter(of.unproven).label("unproven"),
        func.count().filter(of.critical).label("critical"),
        func.count().filter(of.contradicting).label("contradicting"),
        func.count().filter(of.has_contact).label("contacts"),
        func.count().filter(of.knows_contact).label("contacts_known"),
        func.count().filter(of.is_bot_first).label("bot_first"),
        func.count().filter(of.knows_bots).label("bots_known"),
        cost.label("cost_usd"),
    ]


async def count_grades(session: AsyncSession, wanted: ReportFilter, zone: str) -> list[Row]:
    """Return the number of reports by criterion and grade, split like :func:`measure`."""
    grades = (get_counted(wanted, name) for name in GRADE_COLUMNS)
    selected = select_counted(wanted, zone, *grades)
    of = selected.c
    graded = (
        values(column("criterion", Text), column("grade", Text), name="graded")
        .data([(criterion.value, of[criterion.column]) for criterion in Criterion])
        .lateral()
    )
    pair = graded.c.criterion, graded.c.grade
    splits = (of.day,), (of.account_id,), (of.model, of.prompt_version)
    statement = (
        select(
            *(of[name] for name in _SPLIT_BY),
            *pair,
            func.count().label("reports"),
        )
        .select_from(selected.join(graded, true()))
        .group_by(func.grouping_sets(tuple_(*pair), *(tuple_(*pair, *split) for split in splits)))
    )
    return list((await session.execute(statement)).mappings())


async def list_mailed_days(
    session: AsyncSession, days: Sequence[date], digest_ids: Sequence[int]
) -> list[Row]:
    """Return the reports, mean score, series and model builds of each date.

    The dates are those of ``days`` whose mails carried reports, and the dates of these mails.
    """
    series = Report.model + " " + Report.prompt_version
    builds = func.array_agg(Report.fingerprint.distinct()).filter(Report.fingerprint.is_not(None))
    statement = (
        select(
            Digest.day,
            func.count().label("reports"),
            cast(func.avg(Report.score), Double).label("mean_score"),
            func.array_agg(series.distinct()).label("series"),
            func.coalesce(builds, text_array([])).label("builds"),
        )
        .join(Report, Report.digest_id == Digest.id)
        .where(or_(Digest.day.in_(days), Digest.id.in_(digest_ids)))
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
        ~_IS_ADDRESSED,
        ~_IS_UNPROVEN,
        ~_IS_CONTRADICTING,
        Chat.id != all_(bigint_array(waiting)),
    )
    order = (
        Report.score.desc(),
        (Report.objection_handling_grade == Grade.HIGH).desc(),
        Report.window_messages.desc(),
        Report.id,
    )
    return await _list_shown(session, wanted, is_good, order, limit)


def select_counted(wanted: ReportFilter, zone: str, *columns: ColumnElement[Any]) -> CTE:
    """Select the reports of the filter.

    Columns are those by which figures are split, and ``columns``.
    """
    return (
        select(
            Report.id,
            Report.chat_id,
            Report.account_id,
            cast(func.timezone(zone, Report.created_at), Date).label("day"),
            Report.model,
            Report.prompt_version,
            Report.cost_usd,
            Review.id.label("review_id"),
            *columns,
        )
        .join(Review, IS_CURRENT, isouter=True)
        .where(build_condition(wanted))
        .cte("selected")
    )


async def _list_shown(
    session: AsyncSession,
    wanted: ReportFilter,
    condition: ColumnElement[bool],
    order: Sequence[Any],
    limit: int,
) -> list[Row]:
    """Return reports of the filter that meet the condition, of each chat only its newest one."""
    newest = select(func.max(Report.id)).where(build_condition(wanted)).group_by(Report.chat_id)
    statement = (
        select(
            Report.id,
            Chat.avito_id,
            Report.body["chat_title"].as_string().label("chat_title"),
            Report.body["client_name"].as_string().label("client_name"),
            cast(Report.score, Double).label("score"),
            Report.detail,
            _IS_ADDRESSED.label("addressed"),
        )
        .join(Chat, Chat.id == Report.chat_id)
        .where(Report.id.in_(newest), condition)
        .order_by(*order)
        .limit(limit)
    )
    return list((await session.execute(statement)).mappings())
