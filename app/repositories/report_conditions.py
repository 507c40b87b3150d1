"""SQL conditions of reports that several queries share."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_

from app.models import Report, ReportKind
from app.repositories.sql_values import inline

IS_GRADING: ColumnElement[bool] = Report.kind == inline(ReportKind.GRADING)
"""The report is not a regrade."""


def is_written_in(start: datetime | None, end: datetime | None) -> ColumnElement[bool]:
    """Return whether a report that is not a regrade was written in ``[start, end)``.

    None: without this bound.
    """
    bounds = []
    if start is not None:
        bounds.append(Report.created_at >= start)
    if end is not None:
        bounds.append(Report.created_at < end)
    return and_(IS_GRADING, *bounds)
