"""Compare regrades with their first reports: by criterion, by report, and by series."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from app.database.engine import Database
from app.domain.criteria import Criterion
from app.domain.grades import Grade
from app.models import Report
from app.repositories import regrades, repeated_runs
from app.services.runs import require_run

Series = tuple[str, str]
"""Model and prompt version. Grades of two series are not comparable."""


@dataclass(frozen=True)
class GradeChange:
    """A report with changed grades. ``grades``: the changed criteria, each with (before, after)."""

    report_id: int
    regrade_id: int
    chat_title: str
    score_before: float
    score_after: float
    grades: dict[Criterion, tuple[Grade, Grade]]


@dataclass(frozen=True)
class RegradeComparison:
    """The comparison of all pairs of gradings.

    ``moves`` counts (grade before, grade after) for each criterion, unchanged grades included.
    """

    pairs: int
    mean_before: float
    mean_after: float
    moves: dict[Criterion, Counter[tuple[Grade, Grade]]]
    changes: tuple[GradeChange, ...]
    """Largest difference of scores first."""
    series_before: frozenset[Series]
    series_after: frozenset[Series]

    @property
    def same_series(self) -> bool:
        """Whether both sides are of one series. Then differences are the variance of the model."""
        return self.series_before == self.series_after and len(self.series_after) == 1

    def count_unchanged(self, criterion: Criterion) -> int:
        """Count the pairs in which a criterion kept its grade."""
        return sum(
            count for (before, after), count in self.moves[criterion].items() if before == after
        )


async def compare_regrades(database: Database, run_id: int) -> RegradeComparison | None:
    """Compare the regrades of a run, and of the runs that it continues, with the first reports.

    Return None if there are none.
    """
    run = await require_run(database, run_id)
    async with database.session() as session:
        pairs = await regrades.list_pairs(
            session, [run_id, *await repeated_runs.list_repeated(session, run)]
        )
    return _compare(pairs) if pairs else None


def _compare(pairs: Sequence[tuple[Report, Report]]) -> RegradeComparison:
    moves = {
        criterion: Counter(_get_grade_pair(pair, criterion) for pair in pairs)
        for criterion in Criterion
    }
    changes = [change for pair in pairs if (change := _make_change(*pair)).grades]
    changes.sort(
        key=lambda change: (-abs(change.score_after - change.score_before), change.report_id)
    )
    return RegradeComparison(
        pairs=len(pairs),
        mean_before=fmean(float(before.score) for before, _ in pairs),
        mean_after=fmean(float(after.score) for _, after in pairs),
        moves=moves,
        changes=tuple(changes),
        series_before=frozenset(_get_series(before) for before, _ in pairs),
        series_after=frozenset(_get_series(after) for _, after in pairs),
    )


def _make_change(before: Report, after: Report) -> GradeChange:
    grades = {criterion: _get_grade_pair((before, after), criterion) for criterion in Criterion}
    return GradeChange(
        before.id,
        after.id,
        str(before.body["chat_title"]),
        float(before.score),
        float(after.score),
        {criterion: pair for criterion, pair in grades.items() if pair[0] != pair[1]},
    )


def _get_grade_pair(pair: tuple[Report, Report], criterion: Criterion) -> tuple[Grade, Grade]:
    before, after = (Grade(getattr(report, criterion.column)) for report in pair)
    return before, after


def _get_series(report: Report) -> Series:
    return report.model, report.prompt_version
