"""Agreement between people, and of people with the model: what they said of the same chats,
criterion by criterion.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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
"""What one grader says, by report: a report stands for its chat."""

_ORDINAL = {Grade.LOW: 0, Grade.MEDIUM: 1, Grade.HIGH: 2}
_SEED = 1
"""Of the bootstrap: the same sheets give the same report."""


@dataclass(frozen=True)
class Scale:
    """What is compared: levels in their order, by grade; grades that it does not know are left out."""

    criterion: Criterion
    label: str
    levels: Mapping[Grade, int]
    names: tuple[str, ...]
    """Of the levels, short, the lowest first."""


_THREE = tuple(grade.value[0] for grade in _ORDINAL)
_PRESENCE = {**dict.fromkeys(_ORDINAL, 1), Grade.NONE: 0}


def _scales() -> Iterator[Scale]:
    """«Нет возражений» is no level of a scale: whether there was an objection is one question (of
    two levels, where weights make no difference), how it was handled another, asked of the chats in
    which both graders saw one.
    """
    for criterion in Criterion:
        if criterion is Criterion.OBJECTION_HANDLING:
            yield Scale(criterion, "Возражение: было или нет", _PRESENCE, ("нет", "было"))
            yield Scale(criterion, f"{criterion.label}, где его видели оба", _ORDINAL, _THREE)
        else:
            yield Scale(criterion, criterion.label, _ORDINAL, _THREE)


SCALES = tuple(_scales())


@dataclass(frozen=True)
class AgreementComparison:
    """One or several pairs of graders on each scale; ``row`` and ``column`` say whose levels a
    table's lines and columns are.
    """

    title: str
    row: str
    column: str
    results: Sequence[tuple[Scale, Agreement]]


@dataclass(frozen=True)
class Material:
    """The filled sheets beside the machine's grades. ``reviews``: grades that people have given in
    the service, and the machine's own of the same reports; None: not asked for.
    """

    people: Mapping[str, GradesByReport]
    machine: GradesByReport
    versions: Mapping[tuple[str, str], int]
    """How many of the sheets' reports each model and prompt version made."""
    open: int
    reviews: tuple[GradesByReport, GradesByReport] | None


async def gather(database: Database, ratings: Sequence[Rating], *, with_reviews: bool) -> Material:
    """Joins the ratings with the machine's grades by the report's number.

    Raises:
        SheetError: a number is no report's.
    """
    async with database.session() as session:
        graded = await agreement.list_graded(
            session, sorted({rating.report_id for rating in ratings})
        )
        reviewed = await agreement.list_reviewed(session) if with_reviews else []
    machine: dict[int, Grades] = {report.report_id: _in_order(report.grades) for report in graded}
    for rating in ratings:
        if rating.report_id not in machine:
            raise SheetError(
                f"{rating.place}: отчёта {rating.report_id} в этой базе нет; номера берутся из"
                " выгрузки, менять их нельзя."
            )
    names = {name_key(rating.rater): rating.rater for rating in reversed(ratings)}
    people: dict[str, dict[int, Grades]] = {}
    for rating in ratings:
        people.setdefault(names[name_key(rating.rater)], {})[rating.report_id] = rating.grades
    reviews: tuple[GradesByReport, GradesByReport] = (
        {report.report_id: _named(report.given) for report in reviewed},
        {report.report_id: _in_order(report.grades) for report in reviewed},
    )
    versions = Counter((report.model, report.prompt_version) for report in graded)
    return Material(
        people,
        machine,
        versions,
        sum(rating.open for rating in ratings),
        reviews if with_reviews else None,
    )


def compare_grades(material: Material) -> Iterator[AgreementComparison]:
    """People with each other, then people with the model, then the reviews in the service, where
    there are any with grades.

    Of several pairs of graders first all of them pooled, each with its own margins (see
    ``weighted_kappa``), then one by one.
    """
    people, machine = material.people, material.machine
    pairs = common_pairs(material)
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
            [(word, machine) for word in people.values()],
        )
    for name, word in people.items():
        yield _compare(f"{name} — модель", name, "модель", [(word, machine)])
    if material.reviews is not None and material.reviews[0]:
        yield _compare("Проверка в службе — модель", "проверка", "модель", [material.reviews])


def common_pairs(material: Material) -> list[tuple[str, str]]:
    """The pairs of people who have a chat in common."""
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
        (scale, measure_agreement(_chats(scale, pairs), levels=len(scale.names), seed=_SEED))
        for scale in SCALES
    ]
    return AgreementComparison(title, row, column, results)


def _chats(scale: Scale, pairs: Sequence[tuple[GradesByReport, GradesByReport]]) -> list[Chat]:
    """Each chat with the levels that each pair of graders gave it, where both gave one."""
    chats: dict[int, list[Cell]] = {}
    for number, (first, second) in enumerate(pairs):
        for chat in first:
            row, column = _level(scale, first[chat]), _level(scale, second.get(chat, {}))
            if row is not None and column is not None:
                chats.setdefault(chat, []).append(Cell(number, row, column))
    return [tuple(cells) for cells in chats.values()]


def _level(scale: Scale, grades: Grades) -> int | None:
    grade = grades.get(scale.criterion)
    return None if grade is None else scale.levels.get(grade)


def _in_order(grades: Sequence[str]) -> Grades:
    return {criterion: Grade(word) for criterion, word in zip(Criterion, grades, strict=True)}


def _named(given: Mapping[str, str]) -> Grades:
    return {
        criterion: Grade(given[name])
        for criterion in Criterion
        if (name := criterion.column) in given
    }
