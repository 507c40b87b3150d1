"""Read a grade as a model or a person writes it."""

import re

from app.domain.grades import GRADE_CODES, Grade


class VerdictError(ValueError):
    """The model's answer cannot be used; the Russian message can be sent back to the model."""


_ADJECTIVE_ENDING = "(?:ая|яя|ий|ое|ее|ие|ой|ей|ую|юю|ого|его|ому|ему|ом|ем|им|их|ими)"
_RUSSIAN_GRADES = (
    (re.compile(f"высок{_ADJECTIVE_ENDING}"), Grade.HIGH),
    (re.compile(f"средн{_ADJECTIVE_ENDING}"), Grade.MEDIUM),
    (re.compile(f"низк{_ADJECTIVE_ENDING}"), Grade.LOW),
    (re.compile(r"нет\s+возражений"), Grade.NONE),
)


def parse_grade(text: str) -> Grade:
    """The grade a model's word means: a code or the Russian word in any gender and case. Raises
    VerdictError, never guesses.
    """
    word = text.strip().strip("«»\"'.").lower()
    if word in GRADE_CODES:
        return GRADE_CODES[word]
    for pattern, grade in _RUSSIAN_GRADES:
        if pattern.fullmatch(word):
            return grade
    raise VerdictError("оценка должна быть одной из high, medium, low, none")
