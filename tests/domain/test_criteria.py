"""Criteria: order, labels and columns."""

from app.domain.criteria import GRADE_COLUMNS, Criterion


def test_criteria_have_their_order_and_labels() -> None:
    assert [(criterion.value, criterion.label) for criterion in Criterion] == [
        ("tonality", "Тональность"),
        ("professionalism", "Профессионализм"),
        ("clarity", "Ясность"),
        ("problem_solving", "Решение проблем"),
        ("objection_handling", "Работа с возражениями"),
        ("closure", "Завершение"),
    ]


def test_grade_columns_are_named_after_the_criteria() -> None:
    assert GRADE_COLUMNS == (
        "tonality_grade",
        "professionalism_grade",
        "clarity_grade",
        "problem_solving_grade",
        "objection_handling_grade",
        "closure_grade",
    )
