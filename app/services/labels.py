"""Blind labels: a person grades a weekly random sample of reports without the model's grades."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import day_bounds, local_date
from app.database.engine import Database
from app.domain.criteria import Criterion
from app.domain.grades import Grade
from app.errors import NotFoundError
from app.models import Report
from app.repositories import agreement, labels, reviews
from app.repositories.agreement import WindowMessage
from app.repositories.labels import SampledReport
from app.services.reports.reviews import apply_grades

SAMPLE_SIZE = 10
"""Reports of a week that a person is asked to label."""


@dataclass(frozen=True)
class Sample:
    """The sample of a week. ``reports``: the number of reports that the week has so far."""

    monday: date
    reports: int
    chats: Sequence[tuple[SampledReport, Sequence[WindowMessage]]]


@dataclass(frozen=True)
class Label:
    """All six grades of one report, and who has given them."""

    grades: Mapping[Criterion, Grade]
    comment: str | None
    reviewer: str | None


async def read_sample(database: Database, day: date, zone: ZoneInfo) -> Sample:
    """Return the sample of the week of a day: at most ``SAMPLE_SIZE`` reports in random order."""
    monday = _get_monday(day)
    start, end = _get_bounds(monday, zone)
    async with database.session() as session:
        reports = await labels.count_reports(session, start, end)
        sampled = await labels.list_sample(session, start, end, size=SAMPLE_SIZE)
        rows = await agreement.list_window_messages(session, [one.report_id for one in sampled])
    messages: dict[int, list[WindowMessage]] = {one.report_id: [] for one in sampled}
    for row in rows:
        messages[row.report_id].append(row)
    return Sample(monday, reports, [(one, messages[one.report_id]) for one in sampled])


async def put_label(
    database: Database, report_id: int, label: Label, *, now: datetime, zone: ZoneInfo
) -> None:
    """Store a label of a sampled report. An equal label changes nothing.

    A current correction stays the current review: its author has seen the model's grades, and lists
    show it. The label counts in either case.

    Raises:
        NotFoundError: the report does not exist or has never been in a sample.
    """
    given = {criterion.column: grade.value for criterion, grade in label.grades.items()}
    word = {"given": given, "comment": label.comment, "reviewer": label.reviewer}
    async with database.transaction() as session:
        report = await _lock_sampled(session, report_id, zone)
        before = await labels.get_label(session, report_id)
        if before is not None and {name: getattr(before, name) for name in word} == word:
            return
        current = await reviews.get_review(session, report_id)
        is_corrected = current is not None and not current.blind
        if not is_corrected:
            await reviews.end_review(session, report_id, now)
        row = {
            "report_id": report_id,
            **word,
            "reviewed_at": now,
            "ended_at": now if is_corrected else None,
            **apply_grades(report, given),
        }
        await labels.add_label(session, row)


async def _lock_sampled(session: AsyncSession, report_id: int, zone: ZoneInfo) -> Report:
    report = await reviews.lock_report(session, report_id)
    if report is not None:
        bounds = _get_bounds(_get_monday(local_date(report.created_at, zone)), zone)
        if await labels.count_drawn_before(session, report, *bounds) < SAMPLE_SIZE:
            return report
    raise NotFoundError(
        f"Отчёта {report_id} нет в выборке его недели: номера — в поле report_id ответа GET"
        " /labels. Поправить другой отчёт можно через PUT /reports/{report_id}/review."
    )


def _get_monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _get_bounds(monday: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    return day_bounds(monday, monday + timedelta(days=6), zone)
