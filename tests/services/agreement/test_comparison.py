"""Comparison of people's grades with the model's: pairs of raters, scale, and chats."""

from collections.abc import Mapping

import pytest

from app.domain.criteria import Criterion
from app.domain.grades import Grade
from app.grading.agreement import Table
from app.services.agreement.comparison import AgreementComparison, compare_grades, read_material
from app.services.agreement.files import Rating, SheetError
from tests.support.labels import LOW, put_label
from tests.support.stage import BAD_TALK, GOOD_TALK, Stage

H, M, L, N = Grade.HIGH, Grade.MEDIUM, Grade.LOW, Grade.NONE


def rating(
    rater: str, report_id: int, objection: Grade | None = None, tonality: Grade | None = M
) -> Rating:
    given = {Criterion.TONALITY: tonality, Criterion.OBJECTION_HANDLING: objection}
    return Rating(
        report_id,
        rater,
        {criterion: grade for criterion, grade in given.items() if grade},
        1,
        f"строка {report_id}",
    )


async def graded(stage: Stage, *, machine: Mapping[int, tuple[Grade, Grade]]) -> None:
    """Add reports with these grades of tonality and objections."""
    for _ in machine:
        stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.analyze()
    for number, (tonality, objection) in machine.items():
        sql = (
            "UPDATE reports SET tonality_grade = :tonality, objection_handling_grade = :objection"
            " WHERE id = :id"
        )
        await stage.change(sql, id=number, tonality=tonality.value, objection=objection.value)


def tables(comparison: AgreementComparison) -> dict[str, Table]:
    """Return the tables that are not empty, the lowest level first."""
    return {scale.label: found.table for scale, found in comparison.results if found.n}


async def test_each_rater_is_compared_with_the_model_and_the_others(stage: Stage) -> None:
    await graded(stage, machine={1: (H, N), 2: (M, N), 3: (L, N)})
    ratings = [
        rating("Анна", 1),
        rating("анна ", 2),
        rating("Борис", 2),
        rating("Борис", 3),
        rating("Клара", 3, tonality=None),
    ]
    material = await read_material(stage.service.database, ratings, with_reviews=False)
    assert {name: set(word) for name, word in material.people.items()} == {
        "Анна": {1, 2},
        "Борис": {2, 3},
        "Клара": {3},
    }
    assert (material.open, material.reviews) == (5, None)
    assert sum(material.versions.values()) == 3
    comparisons = {comparison.title: tables(comparison) for comparison in compare_grades(material)}
    assert comparisons == {
        "Эксперты между собой, все пары вместе": {"Тональность": [[0, 0, 0], [0, 1, 0], [0, 0, 0]]},
        "Анна — Борис": {"Тональность": [[0, 0, 0], [0, 1, 0], [0, 0, 0]]},
        "Борис — Клара": {},
        "Эксперты — модель, все вместе": {"Тональность": [[0, 0, 0], [1, 2, 1], [0, 0, 0]]},
        "Анна — модель": {"Тональность": [[0, 0, 0], [0, 1, 1], [0, 0, 0]]},
        "Борис — модель": {"Тональность": [[0, 0, 0], [1, 1, 0], [0, 0, 0]]},
        "Клара — модель": {},
    }


async def test_no_objection_is_not_a_level_of_the_scale(stage: Stage) -> None:
    """Whether there was an objection is compared over all chats.

    How it was handled is compared over the chats in which both raters saw one.
    """
    await graded(stage, machine={1: (M, N), 2: (M, N), 3: (M, L), 4: (M, H)})
    words = {1: N, 2: L, 3: M, 4: None}
    material = await read_material(
        stage.service.database,
        [rating("Анна", number, word) for number, word in words.items()],
        with_reviews=False,
    )
    (found,) = [tables(comparison) for comparison in compare_grades(material)]
    assert found["Возражение: было или нет"] == [[1, 0], [1, 1]]
    assert found["Работа с возражениями, где его видели оба"] == [[0, 0, 0], [1, 0, 0], [0, 0, 0]]


async def test_reviews_count_as_one_more_rater(stage: Stage) -> None:
    """Only the current review of each report counts.

    Earlier reviews and comments do not.
    """
    await graded(stage, machine={1: (H, N), 2: (M, N), 3: (L, N)})
    expected_text = [
        (1, {"tonality_grade": "Низкая"}),
        (1, {"tonality_grade": "Средняя"}),
        (2, {"tonality_grade": "Средняя"}),
        (3, {}),
    ]
    for number, grades in expected_text:
        answer = await stage.rest.put(
            f"/api/v1/reports/{number}/review", json={"grades": grades, "comment": "Да"}
        )
        assert answer.status_code == 200
    material = await read_material(stage.service.database, [rating("Анна", 3)], with_reviews=True)
    *_, last = compare_grades(material)
    assert (last.title, tables(last)) == (
        "Проверка в службе — модель",
        {"Тональность": [[0, 0, 0], [0, 1, 1], [0, 0, 0]]},
    )
    for number in (1, 2):
        await stage.rest.delete(f"/api/v1/reports/{number}/review")
    empty = await read_material(stage.service.database, [rating("Анна", 3)], with_reviews=True)
    assert [comparison.title for comparison in compare_grades(empty)] == ["Анна — модель"]


async def test_unknown_report_is_named(stage: Stage) -> None:
    stage.add_talk(*BAD_TALK)
    await stage.sync()
    await stage.analyze()
    with pytest.raises(SheetError) as refused:
        await read_material(
            stage.service.database, [rating("Анна", 1), rating("Анна", 999_999)], with_reviews=False
        )
    assert refused.value.message.startswith("строка 999999: отчёта 999999 в этой базе нет")


async def test_blind_labels_are_not_reviews_of_people_who_saw_the_grades(stage: Stage) -> None:
    await graded(stage, machine={1: (H, N)})
    await put_label(stage, 1, LOW)
    material = await read_material(stage.service.database, [rating("Анна", 1)], with_reviews=True)
    assert material.reviews == ({}, {})
