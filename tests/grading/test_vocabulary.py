"""Grades are read as meant, or not at all."""

import pytest

from app.domain.criteria import Criterion
from app.domain.flags import Flag, addresses_grader_label
from app.domain.grades import Grade
from app.domain.messages import Side
from app.grading.grade_words import VerdictError, parse_grade


@pytest.mark.parametrize(
    ("text", "grade"),
    [
        ("high", Grade.HIGH),
        ("HIGH", Grade.HIGH),
        (" Medium ", Grade.MEDIUM),
        ("low", Grade.LOW),
        ("none", Grade.NONE),
        ("Высокая", Grade.HIGH),
        ("Высокий", Grade.HIGH),
        ("высокое", Grade.HIGH),
        ("ВЫСОКУЮ", Grade.HIGH),
        ("Средняя", Grade.MEDIUM),
        ("СРЕДНИЙ", Grade.MEDIUM),
        ("среднее", Grade.MEDIUM),
        ("средней", Grade.MEDIUM),
        ("Низкая", Grade.LOW),
        ("низкие", Grade.LOW),
        ("низкого", Grade.LOW),
        ("«Низкая».", Grade.LOW),
        ("Нет возражений", Grade.NONE),
        ("нет  возражений", Grade.NONE),
    ],
)
def test_grade_is_read(text: str, grade: Grade) -> None:
    assert parse_grade(text) is grade


@pytest.mark.parametrize(
    "text",
    [
        "",
        "good",
        "высоко",
        "высоковатая",
        "высокая/средняя",
        "не применимо",
        "n/a",
        "5",
        "нет",
        "невысокая",
        "очень высокая",
        "hight",
    ],
)
def test_anything_else_is_an_error(text: str) -> None:
    with pytest.raises(VerdictError, match="high, medium, low, none"):
        parse_grade(text)


def test_reports_spell_grades_as_the_document_does() -> None:
    assert [grade.value for grade in Grade] == ["Высокая", "Средняя", "Низкая", "Нет возражений"]


def test_criteria_have_their_order_and_labels() -> None:
    assert [(criterion.value, criterion.label) for criterion in Criterion] == [
        ("tonality", "Тональность"),
        ("professionalism", "Профессионализм"),
        ("clarity", "Ясность"),
        ("problem_solving", "Решение проблем"),
        ("objection_handling", "Работа с возражениями"),
        ("closure", "Завершение"),
    ]


@pytest.mark.parametrize("flag", Flag)
def test_each_flag_is_said_in_russian(flag: Flag) -> None:
    assert flag.label[0] in "абвгдежзиклмнопрстуфхцчшщэюя"


def test_who_speaks_to_the_grader_is_said_where_it_is_known() -> None:
    labels = [
        addresses_grader_label(sides)
        for sides in ([], [Side.CLIENT], [Side.COMPANY] * 2, [Side.COMPANY, Side.CLIENT])
    ]
    assert labels[0] == Flag.ADDRESSES_GRADER.label
    assert [label.split(" обраща")[0] for label in labels[1:]] == [
        "покупатель",
        "продавец",
        "покупатель и продавец",
    ]
    assert all(label.endswith("к проверяющему") for label in labels)
