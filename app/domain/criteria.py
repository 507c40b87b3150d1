"""Six criteria of a report and the results of their checks."""

from enum import StrEnum


class Criterion(StrEnum):
    """Criterion of a report.

    The order of the members is the order in every table, column list and response.
    """

    TONALITY = "tonality"
    PROFESSIONALISM = "professionalism"
    CLARITY = "clarity"
    PROBLEM_SOLVING = "problem_solving"
    OBJECTION_HANDLING = "objection_handling"
    CLOSURE = "closure"

    @property
    def label(self) -> str:
        """The criterion's Russian name."""
        return _LABELS[self]

    @property
    def column(self) -> str:
        """Name of the grade's column in the database and of its field in REST."""
        return f"{self.value}_grade"


_LABELS = {
    Criterion.TONALITY: "Тональность",
    Criterion.PROFESSIONALISM: "Профессионализм",
    Criterion.CLARITY: "Ясность",
    Criterion.PROBLEM_SOLVING: "Решение проблем",
    Criterion.OBJECTION_HANDLING: "Работа с возражениями",
    Criterion.CLOSURE: "Завершение",
}
GRADE_COLUMNS = tuple(criterion.column for criterion in Criterion)
"""The columns of the grades, in the order of the criteria."""


class Check(StrEnum):
    """Result of one observable check: yes, no, not applicable."""

    YES = "y"
    NO = "n"
    NOT_APPLICABLE = "na"
