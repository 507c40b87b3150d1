"""The six criteria and the results of their checks."""

from enum import StrEnum


class Criterion(StrEnum):
    """A criterion of a report. The order of the members is the order in every table, column list
    and response.
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
        """The name of the grade's column and of its field in REST."""
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


class Check(StrEnum):
    """The result of one observable check: yes, no, not applicable."""

    YES = "y"
    NO = "n"
    NOT_APPLICABLE = "na"
