"""A person's word on a report: given, changed, taken back. What the machine said stays as it is."""

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
    """The whole of what a person says of a report: corrected grades, any number of the six, and
    words.
    """

    grades: Mapping[Criterion, Grade]
    comment: str | None
    reviewer: str | None


async def put_review(
    database: Database, report_id: int, word: ReviewInput, *, now: datetime
) -> None:
    """Makes this the word on the report, in place of whatever was said before; said once more as it
    stands it changes nothing.

    Raises:
        NotFoundError: there is no such report, or it is a regrade, which nobody mails or lists.
    """
    given = {criterion.column: grade.value for criterion, grade in word.grades.items()}
    async with database.transaction() as session:
        report = await reviews.lock_report(session, report_id)
        if report is None:
            raise _no_report(report_id)
        before = await reviews.get_review(session, report_id)
        if before is not None and _as_said(before) == (given, word.comment, word.reviewer):
            return
        await reviews.end_review(session, report_id, now)
        words = {
            "given": given,
            "comment": word.comment,
            "reviewer": word.reviewer,
            "reviewed_at": now,
        }
        await reviews.add_review(
            session, {"report_id": report_id, **words, **_after(report, given)}
        )


async def delete_review(database: Database, report_id: int, *, now: datetime) -> None:
    """The machine's grades stand alone again; where nobody has said anything, nothing changes.

    Raises:
        NotFoundError: as by ``put_review``.
    """
    async with database.transaction() as session:
        if await reviews.lock_report(session, report_id) is None:
            raise _no_report(report_id)
        await reviews.end_review(session, report_id, now)


def _as_said(review: Review) -> tuple[dict[str, Any], str | None, str | None]:
    return review.given, review.comment, review.reviewer


def _after(report: Report, given: Mapping[str, str]) -> dict[str, Any]:
    """The report's grades, score and body with the corrections in their places."""
    grades = {name: given.get(name, getattr(report, name)) for name in GRADE_COLUMNS}
    return {**grades, "score": _score(report, grades), "body": {**report.body, **grades}}


def _score(report: Report, grades: Mapping[str, str]) -> float:
    """By the weights that stand with the report's criteria. Reports written before weights were
    kept there weigh each criterion alike.
    """
    weights = {
        criterion: report.detail["criteria"][criterion].get("weight", 1.0)
        for criterion in Criterion
    }
    return round(
        score({criterion: Grade(grades[criterion.column]) for criterion in Criterion}, weights),
        2,
    )


def _no_report(report_id: int) -> NotFoundError:
    return NotFoundError(
        f"Отчёта {report_id} нет среди тех, что проверяет человек: номера — в поле id ответа GET"
        " /reports."
    )
