"""What a second grading of the same messages has changed: per criterion, per report, and whether
the judge is still the same.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from app.database.engine import Database
from app.domain.criteria import Criterion
from app.domain.grades import Grade
from app.models import Report
from app.repositories import regrades, runs
from app.services.runs import require_run

Series = tuple[str, str]
"""Model as it names itself, and prompt version: grades of two series are not to be mixed."""


@dataclass(frozen=True)
class GradeChange:
    """One report whose grades came out otherwise; grades as pairs (before, after) of the criteria
    that changed.
    """

    report_id: int
    regrade_id: int
    chat_title: str
    score_before: float
    score_after: float
    grades: dict[Criterion, tuple[Grade, Grade]]


@dataclass(frozen=True)
class RegradeComparison:
    """Pairs of gradings; ``moves`` counts, for each criterion, (grade before, grade after),
    unchanged ones included.
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
    def same_judge(self) -> bool:
        """Whether model and rubric are the same on both sides: then what differs is the model's own
        unsteadiness.
        """
        return self.series_before == self.series_after and len(self.series_after) == 1

    def unchanged(self, criterion: Criterion) -> int:
        """The pairs in which a criterion has the same grade twice."""
        return sum(
            count for (before, after), count in self.moves[criterion].items() if before == after
        )


async def compare_regrades(database: Database, run_id: int) -> RegradeComparison | None:
    """The second gradings of a run beside the first, with those that it did not make again; None
    where there are none.
    """
    run = await require_run(database, run_id)
    async with database.session() as session:
        pairs = await regrades.list_pairs(
            session, [run_id, *await runs.list_repeated(session, run)]
        )
    return _compare(pairs) if pairs else None


def _compare(pairs: Sequence[tuple[Report, Report]]) -> RegradeComparison:
    moves: dict[Criterion, Counter[tuple[Grade, Grade]]] = {
        criterion: Counter() for criterion in Criterion
    }
    changes = []
    for before, after in pairs:
        grades = {
            criterion: (_grade(before, criterion), _grade(after, criterion))
            for criterion in Criterion
        }
        for criterion, pair in grades.items():
            moves[criterion][pair] += 1
        changed = {criterion: pair for criterion, pair in grades.items() if pair[0] != pair[1]}
        if changed:
            title = str(before.body["chat_title"])
            changes.append(
                GradeChange(
                    before.id, after.id, title, float(before.score), float(after.score), changed
                )
            )
    changes.sort(
        key=lambda change: (-abs(change.score_after - change.score_before), change.report_id)
    )
    return RegradeComparison(
        pairs=len(pairs),
        mean_before=fmean(float(before.score) for before, _ in pairs),
        mean_after=fmean(float(after.score) for _, after in pairs),
        moves=moves,
        changes=tuple(changes),
        series_before=frozenset(_series(before) for before, _ in pairs),
        series_after=frozenset(_series(after) for _, after in pairs),
    )


def _grade(report: Report, criterion: Criterion) -> Grade:
    return Grade(getattr(report, criterion.column))


def _series(report: Report) -> Series:
    return report.model, report.prompt_version
