"""Read the words of an answer: grades, checks, numbers of messages, names of faults."""

import re
from typing import Any

from app.domain.criteria import Check
from app.domain.critical import CriticalFault
from app.domain.grades import GRADE_CODES, Grade
from app.grading.verdict_error import VerdictError

_ADJECTIVE_ENDING = "(?:ая|яя|ий|ое|ее|ие|ой|ей|ую|юю|ого|его|ому|ему|ом|ем|им|их|ими)"
_RUSSIAN_GRADES = (
    (re.compile(f"высок{_ADJECTIVE_ENDING}"), Grade.HIGH),
    (re.compile(f"средн{_ADJECTIVE_ENDING}"), Grade.MEDIUM),
    (re.compile(f"низк{_ADJECTIVE_ENDING}"), Grade.LOW),
    (re.compile(r"нет\s+возражений"), Grade.NONE),
)
_CHECK_WORDS = {
    **dict.fromkeys(("y", "yes", "да", "true", "д", "у"), Check.YES),  # the last one is Cyrillic
    **dict.fromkeys(("n", "no", "нет", "false", "н"), Check.NO),
    **dict.fromkeys(("na", "n/a", "not applicable", "не применяется"), Check.NOT_APPLICABLE),
    **dict.fromkeys(("не применимо", "не применима", "не применимы"), Check.NOT_APPLICABLE),
    **dict.fromkeys(("неприменимо", "неприменима", "неприменимы"), Check.NOT_APPLICABLE),
}
_NOTHING = frozenset(
    {
        *("", "-", "—", "na", "n/a", "no", "none", "null", "n", "false", "no objections"),
        *("нет", "отсутствует", "отсутствуют", "не применимо", "неприменимо", "не было"),
        *("нет возражений", "возражений нет", "нет рекомендаций", "рекомендаций нет"),
        *("нет ошибок", "ошибок нет", "нет критических ошибок", "критических ошибок нет"),
        *("не выявлено", "не обнаружено"),
    }
)
_FAULT_STEMS = {
    CriticalFault.INSULT: ("insult", "оскорб"),
    CriticalFault.OUTSIDE_PAYMENT: ("outside", "payment", "мимо авито", "вне авито", "оплат"),
    CriticalFault.FALSE_AVAILABILITY: ("false", "availab", "товар", "налич"),
}
_LONGEST_LABEL = 60
_AROUND_A_WORD = " \t\n«»\"'`.,;()<>*"
_JOINT = re.compile(r"[,.:;(|–—]|\s-|-\s")
"""What separates an answer from its explanation."""
_NUMBER = re.compile(
    r"(?i)[\[(#№\s]{0,5}(?:(?:i|n|сообщение)[\s=:#№]{0,5})?(?P<digits>\d{1,6})(?:\.0)?[\])\s.]{0,5}"
)


def is_nothing(value: object) -> bool:
    """Return whether a model writes this value for "there is none"."""
    if isinstance(value, str):
        return value.strip(_AROUND_A_WORD).lower() in _NOTHING
    return not value


def parse_grade(text: str) -> Grade:
    """Return the grade of a word: a code, or the Russian word in any gender and case.

    Raises:
        VerdictError: the word is no grade.
    """
    word = text.strip(_AROUND_A_WORD).lower()
    if word in GRADE_CODES:
        return GRADE_CODES[word]
    for pattern, grade in _RUSSIAN_GRADES:
        if pattern.fullmatch(word):
            return grade
    raise VerdictError("оценка должна быть одной из high, medium, low, none")


def read_grade(value: object) -> Grade:
    """Return the grade of the model."""
    if not isinstance(value, str):
        raise VerdictError("оценка должна быть строкой: high, medium, low или none")
    return parse_grade(value)


def read_check(value: object) -> Check:
    """Return the model's answer to a check. An explanation may follow: «y - вежливо»."""
    text = str(value).strip(_AROUND_A_WORD).lower() if isinstance(value, str | bool) else ""
    if text in _CHECK_WORDS:
        return _CHECK_WORDS[text]
    first, *rest = (part.strip(_AROUND_A_WORD) for part in _JOINT.split(text[:1000]))
    others = {_CHECK_WORDS[part] for part in rest if part in _CHECK_WORDS}
    if first not in _CHECK_WORDS or others - {_CHECK_WORDS[first]}:
        raise VerdictError("ответ на проверку должен быть одним из y, n, na")
    return _CHECK_WORDS[first]


def read_number(value: object) -> object:
    """Return the number of a message in any spelling («[2]», «№2»); 0 if the model named none."""
    if isinstance(value, bool):
        return "true"  # pydantic would read true as 1
    if value is None or value == "":
        return 0
    if isinstance(value, list) and value:
        return read_number(value[0])
    found = _NUMBER.fullmatch(value) if isinstance(value, str) else None
    return int(found["digits"]) if found else value


def read_fault(value: Any) -> CriticalFault | None:
    """Return the fault that a code or a Russian label names; None for no one fault."""
    word = value.strip(_AROUND_A_WORD).lower().replace(" ", "_") if isinstance(value, str) else ""
    if word in set(CriticalFault):
        return CriticalFault(word)
    text = word.replace("_", " ")
    named = [
        fault
        for fault, stems in _FAULT_STEMS.items()
        if any(stem in text for stem in stems) and len(text) <= _LONGEST_LABEL
    ]
    return named[0] if len(named) == 1 else None
