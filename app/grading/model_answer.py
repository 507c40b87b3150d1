"""Parse the model's answer: lenient about spelling and surrounding text, strict about content."""

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from app.domain.criteria import Check, Criterion
from app.domain.critical import CriticalFault
from app.domain.grades import GRADE_CODES, Grade
from app.domain.visible_text import keep_visible
from app.grading.rubric import Rubric
from app.grading.validation_messages import describe_validation_error

MAX_RECOMMENDATIONS = 3
MAX_OBJECTIONS = 10
LONGEST_REASONING = 500
_MOST_BRACES = 100
"""Braces that are tried as the start of an object. It limits the time for an answer of braces."""
_CRITERIA = tuple(criterion.value for criterion in Criterion)
_FAULTS = tuple(fault.value for fault in CriticalFault)
# Tokens of masked data, words of the chat in quotation marks, Latin names and models
# («MacBook Pro», «A1502»): any language is fine there. Placeholders of the prompt are no words.
_NOT_OWN_WORDS = re.compile(
    r"\[[А-ЯЁ]+_\d+\]|<\w+>|«[^«»]*»|“[^“”]*”|\"[^\"]*\"|\b(?:[A-Z]|[a-z]*[A-Z0-9])[A-Za-z0-9.+-]*"
)
_END_OF_THINKING = "</think>"


class VerdictError(ValueError):
    """The model's answer is unusable. The Russian message can be sent back to the model."""


_ADJECTIVE_ENDING = "(?:ая|яя|ий|ое|ее|ие|ой|ей|ую|юю|ого|его|ому|ему|ом|ем|им|их|ими)"
_RUSSIAN_GRADES = (
    (re.compile(f"высок{_ADJECTIVE_ENDING}"), Grade.HIGH),
    (re.compile(f"средн{_ADJECTIVE_ENDING}"), Grade.MEDIUM),
    (re.compile(f"низк{_ADJECTIVE_ENDING}"), Grade.LOW),
    (re.compile(r"нет\s+возражений"), Grade.NONE),
)
_CHECK_WORDS = {
    **dict.fromkeys(("y", "yes", "да", "true", "д"), Check.YES),
    **dict.fromkeys(("n", "no", "нет", "false", "н"), Check.NO),
    **dict.fromkeys(
        ("na", "n/a", "not applicable", "не применимо", "неприменимо", "не применима"),
        Check.NOT_APPLICABLE,
    ),
}
_AROUND_A_WORD = " \t\n«»\"'`.,;()<>"


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


def _grade(value: object) -> Grade:
    if not isinstance(value, str):
        raise VerdictError("оценка должна быть строкой: high, medium, low или none")
    return parse_grade(value)


def _check(value: object) -> Check:
    word = str(value).strip(_AROUND_A_WORD).lower() if isinstance(value, str | bool) else ""
    if word not in _CHECK_WORDS:
        raise VerdictError("ответ на проверку должен быть одним из y, n, na")
    return _CHECK_WORDS[word]


def _number(value: object) -> object:
    return "true" if isinstance(value, bool) else value  # pydantic would read true as 1


def _one_line(value: str) -> str:
    return " ".join(keep_visible(value).split())


def is_russian(text: str) -> bool:
    """Return whether at least half of the letters are Russian.

    Tokens of masked data, quotations, placeholders and Latin names do not count. A text without
    other letters is not Russian.
    """
    letters = [char for char in _NOT_OWN_WORDS.sub("", text).lower() if char.isalpha()]
    russian = sum("а" <= char <= "я" or char == "ё" for char in letters)
    return bool(letters) and 2 * russian >= len(letters)


def _russian(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = _one_line(value)
    if not is_russian(text):
        raise VerdictError("нужен непустой текст на русском языке")
    return text


def _reasoning(value: object) -> str | None:
    """Return the sentence, or None for one that cannot be shown: it decides nothing."""
    text = _one_line(value) if isinstance(value, str) else ""
    return text[:LONGEST_REASONING] if is_russian(text) else None


def _with_words(value: object) -> object:
    """Return the entries that quote something. One entry may be outside a list."""
    entries = [value] if isinstance(value, dict) else value or []
    if not isinstance(entries, list):
        return value
    return [entry for entry in entries if not isinstance(entry, dict) or entry.get("q")]


def _known_faults(value: object) -> object:
    """Return the claims of critical faults that exist; a model may also write that it saw none."""
    entries = _with_words(value)
    if not isinstance(entries, list):
        return []
    return [entry for entry in entries if isinstance(entry, dict) and entry.get("fault") in _FAULTS]


def _first_recommendations(value: object) -> object:
    """Return the first recommendations that are Russian. Another one is no reason to ask again."""
    if not isinstance(value, list):
        return value
    return [entry for entry in value if not _is_foreign_advice(entry)][:MAX_RECOMMENDATIONS]


def _is_foreign_advice(entry: object) -> bool:
    text = entry.get("t", entry.get("text")) if isinstance(entry, dict) else None
    return isinstance(text, str) and not is_russian(_one_line(text))


Number = Annotated[int, BeforeValidator(_number)]
RussianText = Annotated[str, StringConstraints(max_length=2000), BeforeValidator(_russian)]
CheckWord = Annotated[Check, BeforeValidator(_check)]


class _Answered(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class QuoteClaim(_Answered):
    """An unverified quote of the model from message `number` of the window (from 1)."""

    number: Number = Field(alias="i")
    words: str = Field(alias="q")


class ObjectionClaim(QuoteClaim):
    """An objection that the model found. ``answered``: whether the seller responded to it."""

    answered: CheckWord = Field(validation_alias=AliasChoices("a", "answered"))


class CriticalClaim(QuoteClaim):
    """A critical fault that the model found."""

    fault: CriticalFault


class AdviceClaim(_Answered):
    """A recommendation and the number of its message."""

    number: Number = Field(alias="i")
    text: RussianText = Field(validation_alias=AliasChoices("t", "text"))


class CriterionAnswer(_Answered):
    """The model's answer on one criterion."""

    evidence: Annotated[tuple[QuoteClaim, ...], BeforeValidator(_with_words)] = Field(
        default=(), alias="ev"
    )
    reasoning: Annotated[str | None, BeforeValidator(_reasoning)] = Field(default=None, alias="why")
    checks: dict[str, CheckWord]
    grade: Annotated[Grade, BeforeValidator(_grade)]


class ModelAnswer(_Answered):
    """The whole answer, valid and consistent. Its quotes are not verified yet."""

    objections: Annotated[
        tuple[ObjectionClaim, ...], BeforeValidator(_with_words), Field(max_length=MAX_OBJECTIONS)
    ]
    critical: Annotated[tuple[CriticalClaim, ...], BeforeValidator(_known_faults)] = ()
    criteria: dict[Criterion, CriterionAnswer]
    summary: RussianText
    recommendations: Annotated[tuple[AdviceClaim, ...], BeforeValidator(_first_recommendations)]


def parse_answer(text: str, rubric: Rubric) -> ModelAnswer:
    """Parse the one answer in `text`, which prose, thinking or a code fence may surround.

    Raises:
        VerdictError: the answer is unusable; the message is for the model.
    """
    try:
        answer = ModelAnswer.model_validate(_in_protocol_shape(_only_object(text), rubric))
    except ValidationError as error:
        raise VerdictError(f"Ответ не по образцу: {describe_validation_error(error)}.") from error
    for criterion in Criterion:
        _require_consistent(answer, criterion, rubric.criteria[criterion].asked_ids)
    return answer


def _require_consistent(
    answer: ModelAnswer, criterion: Criterion, asked_ids: tuple[str, ...]
) -> None:
    entry = answer.criteria.get(criterion)
    if entry is None:
        raise VerdictError(f"Нет критерия {criterion.value}: нужны все шесть.")
    if not set(asked_ids) <= set(entry.checks):
        raise VerdictError(
            f"У {criterion.value} должны быть проверки {', '.join(asked_ids)}, каждая с ответом y,"
            " n или na."
        )
    if entry.grade is Grade.NONE and criterion is not Criterion.OBJECTION_HANDLING:
        raise VerdictError(
            f"У {criterion.value} не бывает оценки none: она есть только у objection_handling."
        )
    if entry.grade is Grade.NONE and answer.objections:
        raise VerdictError(
            "objections не пуст, а у objection_handling оценка none: так не бывает, исправь одно из"
            " двух."
        )


def _only_object(text: str) -> dict[str, Any]:
    thought = text.rfind(_END_OF_THINKING)
    # Thinking may have many braces, but an answer may also quote the end of thinking from the chat.
    answers = _list_answers(text, max(thought, 0), thought) or _list_answers(text, 0, thought)
    if not answers:
        raise VerdictError("В ответе нет целого объекта JSON по образцу.")
    if len(answers) > 1:
        raise VerdictError("В ответе несколько объектов JSON, нужен один.")
    return answers[0]


def _list_answers(text: str, start: int, thought: int) -> list[dict[str, Any]]:
    """Return the answers that begin after `start` and end after the thinking. Drafts do not."""
    return [
        found
        for found, end in _objects(text, start)
        if end > thought and ("criteria" in found or "summary" in found)
    ]


def _objects(text: str, start: int) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield the outermost objects and their ends. A brace that opens no object is prose."""
    decoder = json.JSONDecoder(object_pairs_hook=_without_repeats)
    position = text.find("{", start)
    for _ in range(_MOST_BRACES):
        if position < 0:
            return
        try:
            found, end = decoder.raw_decode(text, position)
        except VerdictError:
            raise
        except (ValueError, RecursionError):
            end = position + 1
        else:
            yield found, end
        position = text.find("{", end)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise VerdictError("В объекте JSON один ключ стоит дважды.")
    return dict(pairs)


def _in_protocol_shape(raw: dict[str, Any], rubric: Rubric) -> dict[str, Any]:
    """Move criteria from the top level into `criteria`; name checks in a list; drop other keys."""
    if "criteria" not in raw:
        nested = {key: raw[key] for key in _CRITERIA if key in raw}
        raw = {key: value for key, value in raw.items() if key not in nested} | {"criteria": nested}
    if not isinstance(raw["criteria"], dict):
        return raw
    criteria = {
        key: _with_check_ids(entry, key, rubric)
        for key, entry in raw["criteria"].items()
        if key in _CRITERIA
    }
    return raw | {"criteria": criteria}


def _with_check_ids(entry: Any, key: str, rubric: Rubric) -> Any:
    if not isinstance(entry, dict):
        return entry
    asked, checks = rubric.criteria[Criterion(key)].asked_ids, entry.get("checks")
    if isinstance(checks, list) and len(checks) == len(asked):
        return entry | {"checks": dict(zip(asked, checks, strict=True))}
    if isinstance(checks, dict):
        return entry | {"checks": {name: checks[name] for name in asked if name in checks}}
    return entry
