"""Grades as reports spell them."""

from enum import StrEnum


class Grade(StrEnum):
    """A grade of one criterion; NONE belongs to OBJECTION_HANDLING alone."""

    HIGH = "Высокая"
    MEDIUM = "Средняя"
    LOW = "Низкая"
    NONE = "Нет возражений"


GRADE_CODES = {"high": Grade.HIGH, "medium": Grade.MEDIUM, "low": Grade.LOW, "none": Grade.NONE}
"""The spelling in the rubric, in the prompt and in the model's answer."""
