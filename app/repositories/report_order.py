"""Order of the list of reports: newest first, or by score; and the position after a report.

Reports of equal score are newest first, in both directions.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple


class ReportSort(StrEnum):
    """An order by score."""

    LOWEST_FIRST = "score"
    HIGHEST_FIRST = "-score"


class Position(NamedTuple):
    """Position in a list of reports.

    It consists of the last report that was returned, and the newest report that existed when the
    list began. ``score`` is that of the last report; None: the list is not sorted by score.
    """

    created_at: datetime
    id: int
    newest_id: int
    score: Decimal | None = None


_NEWEST_FIRST = "reports.created_at DESC, reports.id DESC"
_IS_OLDER = "(reports.created_at, reports.id) < (:after_moment, :after_id)"


def make_order(sort: ReportSort | None, score: str) -> str:
    """Return SQL after ``ORDER BY``. ``score``: SQL for the score of a report."""
    match sort:
        case None:
            return _NEWEST_FIRST
        case ReportSort.LOWEST_FIRST:
            return f"{score}, {_NEWEST_FIRST}"
        case ReportSort.HIGHEST_FIRST:
            return f"{score} DESC, {_NEWEST_FIRST}"


def make_condition(
    sort: ReportSort | None, score: str, after: Position
) -> tuple[str, dict[str, object]]:
    """Return SQL for the reports after a position, with its named parameters.

    The first comparison of a score repeats the second one without the tie, so that Postgres can
    start in the index of scores.
    """
    values: dict[str, object] = {"after_moment": after.created_at, "after_id": after.id}
    if sort is None:
        return _IS_OLDER, values
    further = ">" if sort is ReportSort.LOWEST_FIRST else "<"
    sql = f"{score} {further}= :after_score AND ({score} {further} :after_score OR {_IS_OLDER})"
    return sql, values | {"after_score": after.score}
