"""Grades, spelled as in reports."""

from enum import StrEnum


class Grade(StrEnum):
    """Grade of one criterion. Only OBJECTION_HANDLING may have NONE."""

    HIGH = "Высокая"
    MEDIUM = "Средняя"
    LOW = "Низкая"
    NONE = "Нет возражений"


GRADE_CODES = {"high": Grade.HIGH, "medium": Grade.MEDIUM, "low": Grade.LOW, "none": Grade.NONE}
"""Spelling in the rubric, in the prompt and in the model answer."""
