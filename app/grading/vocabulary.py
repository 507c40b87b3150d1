"""The closed words of grading: criteria, grades, checks and flags, with the Russian words people read."""

import re
from collections.abc import Iterable
from enum import StrEnum

from app.grading.chat import Side


class VerdictError(ValueError):
    """The model's answer cannot be used; the Russian message is fit to be sent back to the model."""


class Criterion(StrEnum):
    """What is graded; the order is the order of every table and report."""

    TONALITY = "tonality"
    PROFESSIONALISM = "professionalism"
    CLARITY = "clarity"
    PROBLEM_SOLVING = "problem_solving"
    OBJECTION_HANDLING = "objection_handling"
    CLOSURE = "closure"

    @property
    def label(self) -> str:
        """The criterion's Russian name."""
        return _CRITERION_LABELS[self]


_CRITERION_LABELS = {
    Criterion.TONALITY: "Тональность",
    Criterion.PROFESSIONALISM: "Профессионализм",
    Criterion.CLARITY: "Ясность",
    Criterion.PROBLEM_SOLVING: "Решение проблем",
    Criterion.OBJECTION_HANDLING: "Работа с возражениями",
    Criterion.CLOSURE: "Завершение",
}


class Grade(StrEnum):
    """A grade exactly as reports spell it; NONE belongs to OBJECTION_HANDLING alone."""

    HIGH = "Высокая"
    MEDIUM = "Средняя"
    LOW = "Низкая"
    NONE = "Нет возражений"


class Check(StrEnum):
    """Outcome of one observable check: yes, no, does not apply."""

    YES = "y"
    NO = "n"
    NOT_APPLICABLE = "na"


class Flag(StrEnum):
    """Why a person may want to look at a grade or a report again."""

    DISAGREEMENT = "disagreement"
    NO_EVIDENCE = "no_evidence"
    ALL_NA = "all_na"
    OBJECTION_UNVERIFIED = "objection_unverified"
    ADDRESSES_GRADER = "addresses_grader"

    @property
    def label(self) -> str:
        """What the flag says, in Russian."""
        return _FLAG_LABELS[self]


_FLAG_LABELS = {
    Flag.DISAGREEMENT: "оценка модели расходится с оценкой по проверкам",
    Flag.NO_EVIDENCE: "нет подтверждающей цитаты",
    Flag.ALL_NA: "ни одна проверка не применима, стоит оценка модели",
    Flag.OBJECTION_UNVERIFIED: "модель заявила возражение, но его цитата не нашлась",
    Flag.ADDRESSES_GRADER: "текст переписки обращается к проверяющему",
}

_WHO_ADDRESSES_GRADER = {
    frozenset({Side.CLIENT}): "покупатель обращается к проверяющему",
    frozenset({Side.COMPANY}): "продавец обращается к проверяющему",
    frozenset({Side.CLIENT, Side.COMPANY}): "покупатель и продавец обращаются к проверяющему",
}


def addresses_grader_label(sides: Iterable[Side]) -> str:
    """What ADDRESSES_GRADER says where it is known who wrote such messages; the flag's own words where it is not."""
    return _WHO_ADDRESSES_GRADER.get(frozenset(sides), Flag.ADDRESSES_GRADER.label)


GRADE_CODES = {"high": Grade.HIGH, "medium": Grade.MEDIUM, "low": Grade.LOW, "none": Grade.NONE}
_ADJECTIVE_ENDING = "(?:ая|яя|ий|ое|ее|ие|ой|ей|ую|юю|ого|его|ому|ему|ом|ем|им|их|ими)"
_RUSSIAN_GRADES = (
    (re.compile(f"высок{_ADJECTIVE_ENDING}"), Grade.HIGH),
    (re.compile(f"средн{_ADJECTIVE_ENDING}"), Grade.MEDIUM),
    (re.compile(f"низк{_ADJECTIVE_ENDING}"), Grade.LOW),
    (re.compile(r"нет\s+возражений"), Grade.NONE),
)


def parse_grade(text: str) -> Grade:
    """The grade a model's word means: a code or the Russian word in any gender and case. Raises VerdictError, never guesses."""
    word = text.strip().strip("«»\"'.").lower()
    if word in GRADE_CODES:
        return GRADE_CODES[word]
    for pattern, grade in _RUSSIAN_GRADES:
        if pattern.fullmatch(word):
            return grade
    raise VerdictError("оценка должна быть одной из high, medium, low, none")
