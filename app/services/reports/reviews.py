"""Store, change and delete the review of a report. The report itself does not change."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.database.engine import Database
from app.domain.criteria import GRADE_COLUMNS, Criterion
from app.domain.grades import Grade
from app.domain.score import score
from app.errors import NotFoundError
from app.models import Report, Review
from app.repositories import reviews


@dataclass(frozen=True)
class ReviewInput:
    """A complete review: any number of corrected grades, a comment and the reviewer."""

    grades: Mapping[Criterion, Grade]
    comment: str | None
    reviewer: str | None


async def put_review(
    database: Database, report_id: int, review: ReviewInput, *, now: datetime
) -> None:
    """Replace the review of a report. An equal review changes nothing.

    Raises:
        NotFoundError: the report does not exist, or it is a regrade, which is not mailed or listed.
    """
    given = {criterion.column: grade.value for criterion, grade in review.grades.items()}
    async with database.transaction() as session:
        report = await reviews.lock_report(session, report_id)
        if report is None:
            raise _make_not_found_error(report_id)
        before = await reviews.get_review(session, report_id)
        if before is not None and _get_input(before) == (given, review.comment, review.reviewer):
            return
        await reviews.end_review(session, report_id, now)
        row = {
            "report_id": report_id,
            "given": given,
            "comment": review.comment,
            "reviewer": review.reviewer,
            "reviewed_at": now,
            **apply_grades(report, given),
        }
        await reviews.add_review(session, row)


async def delete_review(database: Database, report_id: int, *, now: datetime) -> None:
    """Delete the review of a report, if there is one.

    Raises:
        NotFoundError: see ``put_review``.
    """
    async with database.transaction() as session:
        if await reviews.lock_report(session, report_id) is None:
            raise _make_not_found_error(report_id)
        await reviews.end_review(session, report_id, now)


def _get_input(review: Review) -> tuple[dict[str, Any], str | None, str | None]:
    return review.given, review.comment, review.reviewer


def apply_grades(report: Report, given: Mapping[str, str]) -> dict[str, Any]:
    """Return the report's grades, score and body with the given grades, as a review stores them."""
    grades = {name: given.get(name, getattr(report, name)) for name in GRADE_COLUMNS}
    return {**grades, "score": _compute_score(report, grades), "body": {**report.body, **grades}}


def _compute_score(report: Report, grades: Mapping[str, str]) -> float:
    """Return the score with the weights stored in the report.

    Reports of early versions contain no weights. Then all criteria have the same weight.
    """
    weights = {
        criterion: report.detail["criteria"][criterion].get("weight", 1.0)
        for criterion in Criterion
    }
    return round(
        score({criterion: Grade(grades[criterion.column]) for criterion in Criterion}, weights),
        2,
    )


def _make_not_found_error(report_id: int) -> NotFoundError:
    return NotFoundError(
        f"Отчёта {report_id} нет среди тех, что проверяет человек: номера — в поле id ответа GET"
        " /reports."
    )
