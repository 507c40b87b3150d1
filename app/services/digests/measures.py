"""Figures over a set of reports, for mails, ``GET /reports/summary`` and comparisons of days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.criteria import Criterion
from app.domain.grades import Grade
from app.repositories import report_figures
from app.repositories.report_figures import Row
from app.repositories.report_filter import ReportFilter
from app.services.digests.figures import CriterionShare, FirstAnswer, Measures, Series

_Split = tuple[date | None, int | None, str | None, str | None]
_ALL: _Split = (None, None, None, None)


@dataclass(frozen=True)
class Measured:
    """The figures of all reports of a filter, of each day, account (by row id) and (model, prompt
    version).
    """

    total: Measures
    days: dict[date, Measures]
    accounts: dict[int, Measures]
    by_series: dict[tuple[str, str], Measures]

    @property
    def series(self) -> tuple[Series, ...]:
        """The models and prompt versions, in the order of their first reports."""
        return tuple(
            Series(
                model=model,
                prompt_version=version,
                reports=measures.reports,
                mean_score=measures.mean_score or 0.0,
                bad_reports=measures.bad_reports,
            )
            for (model, version), measures in self.by_series.items()
        )


async def measure_reports(session: AsyncSession, wanted: ReportFilter, zone: str) -> Measured:
    """Measure the reports of a filter, in two queries."""
    grades: dict[_Split, list[Row]] = {}
    for row in await report_figures.count_grades(session, wanted, zone):
        grades.setdefault(_split(row), []).append(row)
    found = {
        _split(row): _measures(row, grades.get(_split(row), []))
        for row in await report_figures.measure(session, wanted, zone)
    }
    return Measured(
        total=found[_ALL],
        days={day: measures for (day, *_), measures in found.items() if day is not None},
        accounts={
            account: measures for (_, account, *_), measures in found.items() if account is not None
        },
        by_series={
            (model, version): measures
            for (*_, model, version), measures in found.items()
            if model and version
        },
    )


def _split(row: Row) -> _Split:
    return row["day"], row["account_id"], row["model"], row["prompt_version"]


def _measures(row: Row, grades: Sequence[Row]) -> Measures:
    return Measures(
        reports=row["reports"],
        chats=row["chats"],
        mean_score=row["mean_score"],
        bad_reports=row["bad_reports"],
        reviewed_reports=row["reviewed"],
        addressed_reports=row["addressed"],
        unproven_reports=row["unproven"],
        first_answer=FirstAnswer(
            answered=row["answered"],
            median_seconds=row["median_seconds"],
            p90_seconds=row["p90_seconds"],
        ),
        cost_usd=row["cost_usd"],
        criteria=_shares(grades),
    )


def _shares(grades: Sequence[Row]) -> tuple[CriterionShare, ...]:
    counted = {(row["criterion"], row["grade"]): row["reports"] for row in grades}
    return tuple(
        CriterionShare(
            label=criterion.label,
            high=counted.get((criterion, Grade.HIGH), 0),
            medium=counted.get((criterion, Grade.MEDIUM), 0),
            low=counted.get((criterion, Grade.LOW), 0),
            absent=counted.get((criterion, Grade.NONE), 0),
        )
        for criterion in Criterion
    )
