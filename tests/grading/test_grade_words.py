"""Grades are read as meant, or not at all."""

import pytest

from app.domain.grades import Grade
from app.grading.answer_words import parse_grade
from app.grading.verdict_error import VerdictError


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
