"""SQL of the weekly sample and of its labels: blind reviews."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Text,
    cast,
    exists,
    false,
    func,
    insert,
    or_,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.domain.thresholds import BAD_BELOW
from app.models import Report, Review
from app.repositories.report_conditions import is_written_in
from app.repositories.report_filter import ReportFilter

_ORDER = func.md5(cast(Report.id, Text))
"""A random order of reports that is the same for every caller."""
_LATER = aliased(Review, name="later")
_WAS_REPLACED = (
    exists()
    .where(
        _LATER.report_id == Review.report_id,
        _LATER.id > Review.id,
        _LATER.reviewed_at == Review.ended_at,
    )
    .correlate(Review)
)
_IS_VALID: ColumnElement[bool] = or_(
    Review.ended_at.is_(None), Review.ended_at == Review.reviewed_at, _WAS_REPLACED
)
"""The label has not been withdrawn.

A label beside a correction ends when it is given. Another label ends when a newer review replaces
it, at the moment of that review, or when it is withdrawn.
"""
_IS_LABELLED = func.coalesce(
    select(_IS_VALID)
    .where(Review.report_id == Report.id, Review.blind)
    .order_by(Review.id.desc())
    .limit(1)
    .scalar_subquery(),
    false(),
)
"""The newest label of the report has not been withdrawn."""


class SampledReport(NamedTuple):
    """A report of the sample, without its grades."""

    report_id: int
    chat_title: str
    client_name: str
    labelled: bool


async def list_sample(
    session: AsyncSession, start: datetime, end: datetime, *, size: int
) -> list[SampledReport]:
    """Return the sample of the reports written in ``[start, end)``, oldest first.

    A labelled report stays in the sample if more reports are written.
    """
    statement = (
        select(
            Report.id,
            Report.body["chat_title"].as_string(),
            Report.body["client_name"].as_string(),
            _IS_LABELLED,
        )
        .where(is_written_in(start, end))
        .order_by(_IS_LABELLED.desc(), _ORDER)
        .limit(size)
    )
    return sorted(SampledReport(*row) for row in await session.execute(statement))


async def count_reports(session: AsyncSession, start: datetime, end: datetime) -> int:
    """Return the number of reports written in ``[start, end)``."""
    statement = select(func.count()).select_from(Report).where(is_written_in(start, end))
    return await session.scalar(statement) or 0


async def count_drawn_before(
    session: AsyncSession, report: Report, start: datetime, end: datetime
) -> int:
    """Return the number of older reports of the week that the random order puts first.

    A report that is drawn before fewer than the sample's size has been in the sample, even if
    newer reports have taken its place.
    """
    statement = (
        select(func.count())
        .select_from(Report)
        .where(
            is_written_in(start, end),
            Report.id < report.id,
            func.md5(str(report.id)) > _ORDER,
        )
    )
    return await session.scalar(statement) or 0


async def get_label(session: AsyncSession, report_id: int) -> Review | None:
    """Return the newest label of a report; None if it has been withdrawn.

    A later correction does not replace it.
    """
    statement = (
        select(Review, _IS_VALID)
        .where(Review.report_id == report_id, Review.blind)
        .order_by(Review.id.desc())
        .limit(1)
    )
    newest = (await session.execute(statement)).first()
    return newest[0] if newest is not None and newest[1] else None


async def add_label(session: AsyncSession, values: Mapping[str, Any]) -> None:
    """Insert a label."""
    await session.execute(insert(Review), [{**values, "blind": True}])


async def count_labels(
    session: AsyncSession,
    series: Collection[tuple[str, str]],
    account: str | None,
    *,
    before: datetime,
) -> tuple[int, int, int, int]:
    """Count the labels that were valid before a moment, by who has graded the report as bad.

    The order: both, only the model, only the person, neither. ``series``: models and prompt
    versions of the reports.
    """
    sql, parameters = ReportFilter(account=account).condition()
    labels = (
        select(
            Review.report_id,
            Review.score,
            or_(_IS_VALID, Review.ended_at >= before).label("is_valid"),
        )
        .where(Review.blind, Review.reviewed_at < before)
        .ext(distinct_on(Review.report_id))
        .order_by(Review.report_id, Review.id.desc())
        .cte("labels")
    )
    by_model, by_person = Report.score < BAD_BELOW, labels.c.score < BAD_BELOW
    statement = (
        select(
            func.count().filter(by_model, by_person),
            func.count().filter(by_model, ~by_person),
            func.count().filter(~by_model, by_person),
            func.count().filter(~by_model, ~by_person),
        )
        .select_from(Report)
        .join(labels, labels.c.report_id == Report.id)
        .where(
            labels.c.is_valid,
            text(sql).bindparams(**parameters),
            tuple_(Report.model, Report.prompt_version).in_(list(series)),
        )
    )
    both, model_only, person_only, neither = (await session.execute(statement)).one()
    return both, model_only, person_only, neither
