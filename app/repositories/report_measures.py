"""SQL of measures over reports: sums, means, medians and counts of chats.

The same query serves a mail, the mails of a date, and a period. It reads ``report_figures``.
"""

from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Date,
    Double,
    RowMapping,
    Select,
    case,
    cast,
    collate,
    func,
    select,
    text,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from app.domain.criteria import Criterion
from app.domain.grades import Grade
from app.domain.thresholds import BAD_BELOW
from app.models import Mark, ReportFigures, Review
from app.repositories.report_filter import ReportFilter
from app.repositories.reviews import IS_CURRENT

Row = RowMapping
Column = ColumnElement[Any] | InstrumentedAttribute[Any]
Columns = ReadOnlyColumnCollection[str, Any]

_SPLIT_BY = ("day", "account_id", "model", "prompt_version")
_RANKS = {Grade.NONE: 0, Grade.LOW: 1, Grade.MEDIUM: 2, Grade.HIGH: 3}
"""The two bits of a grade in ``report_figures.grades``."""


def has_mark(marks: Column, mark: Mark) -> ColumnElement[bool]:
    """Return whether a set of marks contains a mark."""
    return marks.bitwise_and(mark.value) != 0


def get_score(wanted: ReportFilter) -> ColumnElement[Any]:
    """Return the score that is counted: with ``reviewed`` that of the current review, if any."""
    own = ReportFigures.score
    return (func.coalesce(Review.score, own) if wanted.reviewed else own).label("score")


def select_figures(wanted: ReportFilter, *columns: Column) -> Select[Any]:
    """Select columns of the figures of the filter's reports, and of their current reviews."""
    sql, parameters = wanted.condition_of_figures()
    return (
        select(*columns)
        .select_from(ReportFigures)
        .join(Review, IS_CURRENT, isouter=True)
        .where(text(sql).bindparams(**parameters))
    )


async def prepare_long_period(session: AsyncSession) -> None:
    """Configure the transaction for the measures of a year.

    Its reports are sorted in memory, and queries are not compiled: that takes longer than running
    them. Postgres 15 has no ``enable_presorted_aggregate``, and refuses the name.
    """
    await session.execute(
        select(func.set_config("work_mem", "32MB", True), func.set_config("jit", "off", True))
    )


async def measure(session: AsyncSession, wanted: ReportFilter, zone: str) -> list[Row]:
    """Return the sums of all reports, of each day, of each account and of each series.

    In the row of all reports, ``day``, ``account_id`` and ``model`` are None. In any other row
    exactly one of them is set. A day is the date in ``zone`` on which a report was written.

    - ``mean_score``: rounded to the decimals of a score. Otherwise a mail and the REST's figures,
      which have two decimals, could differ when both are shown as whole numbers.
    - ``bad_reports``: reports with a score below ``BAD_BELOW``.
    - ``answered``: reports that contain a first answer.
    - ``addressed``: reports of chats that address the grader.
    - ``unproven``: reports with a high or low grade without a verified quote.
    - ``critical``: reports with a critical fault of the seller.
    - ``contradicting``: reports in which the seller contradicts the listing or the facts.
    - ``contacts``: reports with a contact or an agreed meeting; ``contacts_known``: reports that
      know it. Reports of earlier versions do not.
    - ``bot_first``: reports of chats that a bot was the first to answer; ``bots_known``: reports
      that contain it.
    - ``cost_usd``: None if the cost of one report is.
    - ``label_count(criterion, grade)``: reports with the grade.
    - ``chats``: the number of different chats.
    - ``median_seconds``, ``p90_seconds``: of the times until the first answer.
    """
    selected = _select_counted(wanted, zone)
    sums, spreads = _add_up(_count_cells(selected)), _spread(selected)
    statement = (
        select(*sums.c, *(column for column in spreads.c if column.key != "split"))
        .join(spreads, spreads.c.split == sums.c.split)
        .order_by(sums.c.day, sums.c.account_id, sums.c.first_id)
    )
    return list((await session.execute(statement)).mappings())


def _select_counted(wanted: ReportFilter, zone: str) -> CTE:
    # Sorting by a language's collation takes several times as long; only equality matters here.
    return select_figures(
        wanted,
        cast(func.timezone(zone, ReportFigures.created_at), Date).label("day"),
        ReportFigures.account_id,
        collate(ReportFigures.model, "C").label("model"),
        collate(ReportFigures.prompt_version, "C").label("prompt_version"),
        ReportFigures.report_id,
        ReportFigures.chat_id,
        ReportFigures.cost_usd,
        ReportFigures.first_answer_seconds,
        ReportFigures.marks,
        Review.id.label("review_id"),
        get_score(wanted),
        _get_grades(wanted),
    ).cte("selected")


def _count_cells(selected: CTE) -> CTE:
    """Add up the reports of each day, account and series. The other sums are made of these."""
    of = selected.c
    grades = (
        func.count()
        .filter(of.grades.bitwise_and(3 << 2 * place) == rank << 2 * place)
        .label(label_count(criterion, grade))
        for place, criterion in enumerate(Criterion)
        for grade, rank in _RANKS.items()
    )
    split = [of[name] for name in _SPLIT_BY]
    return (
        select(
            *split,
            func.count().label("reports"),
            func.sum(of.score).label("score"),
            func.count().filter(of.score < BAD_BELOW).label("bad_reports"),
            func.count(of.first_answer_seconds).label("answered"),
            func.count(of.review_id).label("reviewed"),
            *(func.count().filter(has_mark(of.marks, mark)).label(name) for name, mark in _MARKS),
            func.sum(of.cost_usd).label("cost_usd"),
            func.count(of.cost_usd).label("priced"),
            func.min(of.report_id).label("first_id"),
            *grades,
        )
        .group_by(*split)
        .cte("cells")
    )


def _add_up(cells: CTE) -> CTE:
    of = cells.c
    reports = func.sum(of.reports)
    counts = (
        cast(func.coalesce(func.sum(column), 0), BigInteger).label(column.key)
        for column in of
        if column.key not in {*_SPLIT_BY, "score", "cost_usd", "first_id"}
    )
    return (
        select(
            _make_key(of),
            *(of[name] for name in _SPLIT_BY),
            *counts,
            func.min(of.first_id).label("first_id"),
            cast(func.round(func.sum(of.score) / reports, 2), Double).label("mean_score"),
            case((func.sum(of.priced) == reports, func.sum(of.cost_usd))).label("cost_usd"),
        )
        .group_by(_make_sets(of))
        .cte("sums")
    )


def _spread(selected: CTE) -> CTE:
    of = selected.c
    return select(_make_key(of), *make_spread(selected)).group_by(_make_sets(of)).cte("spreads")


def make_spread(selected: CTE) -> list[ColumnElement[Any]]:
    """Return the columns of a group of reports that cannot be added up."""
    waited = selected.c.first_answer_seconds
    return [
        func.count(selected.c.chat_id.distinct()).label("chats"),
        func.percentile_cont(0.5).within_group(waited).label("median_seconds"),
        func.percentile_cont(0.9).within_group(waited).label("p90_seconds"),
    ]


def _make_key(of: Columns) -> ColumnElement[Any]:
    """Return the columns of a split as one row value. Rows that contain NULL can be equal."""
    return func.row(*(of[name] for name in _SPLIT_BY)).label("split")


def _make_sets(of: Columns) -> ColumnElement[Any]:
    return func.grouping_sets(tuple_(), of.day, of.account_id, tuple_(of.model, of.prompt_version))


_MARKS = (
    ("addressed", Mark.ADDRESSED),
    ("unproven", Mark.UNPROVEN),
    ("critical", Mark.CRITICAL),
    ("contradicting", Mark.CONTRADICTING),
    ("contacts", Mark.CONTACT),
    ("contacts_known", Mark.CONTACT_KNOWN),
    ("bot_first", Mark.BOT_FIRST),
    ("bots_known", Mark.BOTS_KNOWN),
)


def label_count(criterion: Criterion, grade: Grade) -> str:
    """Return the name of the number of reports with a grade of a criterion."""
    return f"{criterion.value}_{_RANKS[grade]}"


def _get_grades(wanted: ReportFilter) -> ColumnElement[int]:
    """Return the grades that are counted: those of the current review, if they are wanted."""
    own = ReportFigures.grades
    if not wanted.reviewed:
        return own.label("grades")
    given = [
        case(
            {grade.value: rank << 2 * place for grade, rank in _RANKS.items()},
            value=getattr(Review, criterion.column),
        )
        for place, criterion in enumerate(Criterion)
    ]
    return case((Review.id.is_(None), own), else_=sum(given[1:], given[0])).label("grades")
