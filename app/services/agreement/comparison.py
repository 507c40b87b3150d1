"""Measure the agreement between people, and of people with the model, by criterion."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from app.database.engine import Database
from app.domain.criteria import Criterion
from app.domain.grades import Grade
from app.grading.agreement import Agreement, Cell, Chat, measure_agreement
from app.repositories import agreement
from app.services.agreement.files import Rating, SheetError, name_key

Grades = Mapping[Criterion, Grade]
GradesByReport = Mapping[int, Grades]
"""The grades of one grader by report. Each report represents its chat."""

_ORDINAL = {Grade.LOW: 0, Grade.MEDIUM: 1, Grade.HIGH: 2}
_SEED = 1
"""The seed of the bootstrap: the same sheets give the same result."""


@dataclass(frozen=True)
class Scale:
    """A scale of comparison: ordered levels by grade. Other grades are left out."""

    criterion: Criterion
    label: str
    levels: Mapping[Grade, int]
    names: tuple[str, ...]
    """Short names of the levels, the lowest first."""


_THREE = tuple(grade.value[0] for grade in _ORDINAL)
_PRESENCE = {**dict.fromkeys(_ORDINAL, 1), Grade.NONE: 0}


def _make_scales() -> Iterator[Scale]:
    """Yield one scale a criterion, and two for objections.

    «Нет возражений» is no level of an ordinal scale. The first scale compares whether there was an
    objection (two levels, so weights make no difference). The second compares how it was handled,
    in chats in which both graders found one.
    """
    for criterion in Criterion:
        if criterion is Criterion.OBJECTION_HANDLING:
            yield Scale(criterion, "Возражение: было или нет", _PRESENCE, ("нет", "было"))
            yield Scale(criterion, f"{criterion.label}, где его видели оба", _ORDINAL, _THREE)
        else:
            yield Scale(criterion, criterion.label, _ORDINAL, _THREE)


SCALES = tuple(_make_scales())


@dataclass(frozen=True)
class AgreementComparison:
    """The agreement of one or several pairs of graders on each scale.

    ``row`` and ``column``: the names of the graders of a table's rows and columns.
    """

    title: str
    row: str
    column: str
    results: Sequence[tuple[Scale, Agreement]]


@dataclass(frozen=True)
class Material:
    """The filled-in sheets and the model's grades.

    ``open``: number of grades marked ``NO_OPINION``. ``reviews``: the grades of reviews in the
    service, and the model's grades of the same reports; None: not requested.
    """

    people: Mapping[str, GradesByReport]
    machine: GradesByReport
    versions: Mapping[tuple[str, str], int]
    """The number of the sheets' reports by model and prompt version."""
    open: int
    reviews: tuple[GradesByReport, GradesByReport] | None


async def read_material(
    database: Database, ratings: Sequence[Rating], *, with_reviews: bool
) -> Material:
    """Join the ratings with the model's grades by the report's number.

    Raises:
        SheetError: there is no report with a number.
    """
    async with database.session() as session:
        graded = await agreement.list_graded(
            session, sorted({rating.report_id for rating in ratings})
        )
        reviewed = await agreement.list_reviewed(session) if with_reviews else []
    machine: dict[int, Grades] = {
        report.report_id: _parse_all_grades(report.grades) for report in graded
    }
    people = _grades_by_person(ratings, machine)
    reviews: tuple[GradesByReport, GradesByReport] = (
        {report.report_id: _parse_given_grades(report.given) for report in reviewed},
        {report.report_id: _parse_all_grades(report.grades) for report in reviewed},
    )
    versions = Counter((report.model, report.prompt_version) for report in graded)
    return Material(
        people,
        machine,
        versions,
        sum(rating.open for rating in ratings),
        reviews if with_reviews else None,
    )


def _grades_by_person(
    ratings: Sequence[Rating], known: Collection[int]
) -> dict[str, dict[int, Grades]]:
    """Return each person's grades by report. A person has the name in their first rating."""
    names: dict[str, str] = {}
    people: dict[str, dict[int, Grades]] = {}
    for rating in ratings:
        if rating.report_id not in known:
            raise SheetError(
                f"{rating.place}: отчёта {rating.report_id} в этой базе нет; номера берутся из"
                " выгрузки, менять их нельзя."
            )
        name = names.setdefault(name_key(rating.rater), rating.rater)
        people.setdefault(name, {})[rating.report_id] = rating.grades
    return people


def compare_grades(material: Material) -> Iterator[AgreementComparison]:
    """Compare people with each other, people with the model, and then reviews that have grades.

    Several pairs of graders are first pooled, each with its own margins (see ``weighted_kappa``),
    then compared one by one.
    """
    people, machine = material.people, material.machine
    pairs = list_common_pairs(material)
    if len(pairs) > 1:
        pooled = [(people[first], people[second]) for first, second in pairs]
        yield _compare("Эксперты между собой, все пары вместе", "один эксперт", "другой", pooled)
    for first, second in pairs:
        yield _compare(f"{first} — {second}", first, second, [(people[first], people[second])])
    if len(people) > 1:
        yield _compare(
            "Эксперты — модель, все вместе",
            "эксперты",
            "модель",
            [(grades, machine) for grades in people.values()],
        )
    for name, grades in people.items():
        yield _compare(f"{name} — модель", name, "модель", [(grades, machine)])
    if material.reviews is not None and material.reviews[0]:
        yield _compare("Проверка в службе — модель", "проверка", "модель", [material.reviews])


def list_common_pairs(material: Material) -> list[tuple[str, str]]:
    """Return the pairs of people with a common chat."""
    people = material.people
    return [
        (first, second)
        for first, second in combinations(people, 2)
        if people[first].keys() & people[second].keys()
    ]


def _compare(
    title: str, row: str, column: str, pairs: Sequence[tuple[GradesByReport, GradesByReport]]
) -> AgreementComparison:
    results = [
        (scale, measure_agreement(_list_chats(scale, pairs), levels=len(scale.names), seed=_SEED))
        for scale in SCALES
    ]
    return AgreementComparison(title, row, column, results)


def _list_chats(scale: Scale, pairs: Sequence[tuple[GradesByReport, GradesByReport]]) -> list[Chat]:
    """Return for each chat the levels of each pair of graders in which both gave one."""
    chats: dict[int, list[Cell]] = {}
    for number, (first, second) in enumerate(pairs):
        for chat in first:
            row, column = _get_level(scale, first[chat]), _get_level(scale, second.get(chat, {}))
            if row is not None and column is not None:
                chats.setdefault(chat, []).append(Cell(number, row, column))
    return [tuple(cells) for cells in chats.values()]


def _get_level(scale: Scale, grades: Grades) -> int | None:
    grade = grades.get(scale.criterion)
    return None if grade is None else scale.levels.get(grade)


def _parse_all_grades(grades: Sequence[str]) -> Grades:
    return {criterion: Grade(word) for criterion, word in zip(Criterion, grades, strict=True)}


def _parse_given_grades(given: Mapping[str, str]) -> Grades:
    return {
        criterion: Grade(given[name])
        for criterion in Criterion
        if (name := criterion.column) in given
    }
