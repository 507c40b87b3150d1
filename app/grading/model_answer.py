"""Parse the model's answer: lenient about surrounding text, strict about the content."""

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
from app.domain.grades import GRADE_CODES, Grade
from app.domain.visible_text import keep_visible
from app.grading.rubric import Rubric
from app.grading.validation_messages import describe_validation_error

MAX_RECOMMENDATIONS = 3
_MOST_BRACES = 100
"""Braces that are tried as the start of an object. It limits the time for an answer of braces."""
_CRITERIA = tuple(criterion.value for criterion in Criterion)
# Tokens of masked data, and words of the chat in quotation marks: any language is fine there.
_NOT_OWN_WORDS = re.compile(r"\[[А-ЯЁ]+_\d+\]|«[^«»]*»|“[^“”]*”|\"[^\"]*\"")


class VerdictError(ValueError):
    """The model's answer is unusable. The Russian message can be sent back to the model."""


_ADJECTIVE_ENDING = "(?:ая|яя|ий|ое|ее|ие|ой|ей|ую|юю|ого|его|ому|ему|ом|ем|им|их|ими)"
_RUSSIAN_GRADES = (
    (re.compile(f"высок{_ADJECTIVE_ENDING}"), Grade.HIGH),
    (re.compile(f"средн{_ADJECTIVE_ENDING}"), Grade.MEDIUM),
    (re.compile(f"низк{_ADJECTIVE_ENDING}"), Grade.LOW),
    (re.compile(r"нет\s+возражений"), Grade.NONE),
)


def parse_grade(text: str) -> Grade:
    """Return the grade of a word: a code, or the Russian word in any gender and case.

    Raises:
        VerdictError: the word is no grade.
    """
    word = text.strip().strip("«»\"'.").lower()
    if word in GRADE_CODES:
        return GRADE_CODES[word]
    for pattern, grade in _RUSSIAN_GRADES:
        if pattern.fullmatch(word):
            return grade
    raise VerdictError("оценка должна быть одной из high, medium, low, none")


def _grade(value: object) -> Grade:
    if not isinstance(value, str):
        raise VerdictError("оценка должна быть строкой")
    return parse_grade(value)


def _check(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _number(value: object) -> object:
    return "true" if isinstance(value, bool) else value  # pydantic would read true as 1


def _first_three(value: object) -> object:
    return value[:MAX_RECOMMENDATIONS] if isinstance(value, list) else value


def _russian(value: object) -> object:
    """Return the text on one line. At least half of its letters must be Russian.

    Tokens of masked data and quotations do not count.
    """
    if not isinstance(value, str):
        return value
    text = " ".join(keep_visible(value).split())
    letters = [char for char in _NOT_OWN_WORDS.sub("", text).lower() if char.isalpha()]
    russian = sum("а" <= char <= "я" or char == "ё" for char in letters)
    if not letters or 2 * russian < len(letters):
        raise VerdictError("нужен непустой текст на русском языке")
    return text


Number = Annotated[int, BeforeValidator(_number)]
RussianText = Annotated[str, StringConstraints(max_length=2000), BeforeValidator(_russian)]


class _Answered(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class QuoteClaim(_Answered):
    """An unverified quote of the model from message `number` of the window (from 1)."""

    number: Number = Field(alias="i")
    words: str = Field(alias="q")


class ObjectionClaim(_Answered):
    """Whether the model found an objection of the buyer, and where."""

    present: bool
    number: Number | None = Field(default=None, alias="i")
    words: str | None = Field(default=None, alias="q")


class AdviceClaim(_Answered):
    """A recommendation and the number of its message."""

    number: Number = Field(alias="i")
    text: RussianText = Field(validation_alias=AliasChoices("t", "text"))


class CriterionAnswer(_Answered):
    """The model's answer on one criterion."""

    checks: dict[str, Annotated[Check, BeforeValidator(_check)]]
    evidence: tuple[QuoteClaim, ...] = Field(default=(), alias="ev")
    grade: Annotated[Grade, BeforeValidator(_grade)]


class ModelAnswer(_Answered):
    """The whole answer, valid and consistent. Its quotes are not verified yet."""

    objection: ObjectionClaim
    criteria: dict[Criterion, CriterionAnswer]
    summary: RussianText
    recommendations: Annotated[tuple[AdviceClaim, ...], BeforeValidator(_first_three)]


def parse_answer(text: str, rubric: Rubric) -> ModelAnswer:
    """Parse the one answer in `text`, which prose or a code fence may surround.

    Raises:
        VerdictError: the answer is unusable; the message is for the model.
    """
    try:
        answer = ModelAnswer.model_validate(_in_protocol_shape(_only_object(text), rubric))
    except ValidationError as error:
        raise VerdictError(f"Ответ не по образцу: {describe_validation_error(error)}.") from error
    for criterion in Criterion:
        _require_consistent(answer, criterion, rubric.criteria[criterion].check_ids)
    return answer


def _require_consistent(
    answer: ModelAnswer, criterion: Criterion, check_ids: tuple[str, ...]
) -> None:
    entry = answer.criteria.get(criterion)
    if entry is None:
        raise VerdictError(f"Нет критерия {criterion.value}: нужны все шесть.")
    if set(entry.checks) != set(check_ids):
        raise VerdictError(
            f"У {criterion.value} проверки должны быть ровно такие: {', '.join(check_ids)}."
        )
    if entry.grade is Grade.NONE and criterion is not Criterion.OBJECTION_HANDLING:
        raise VerdictError(
            f"У {criterion.value} не бывает оценки none: она есть только у objection_handling."
        )
    if entry.grade is Grade.NONE and answer.objection.present:
        raise VerdictError(
            "objection.present — true, а у objection_handling оценка none: так не бывает, исправь"
            " одно из двух."
        )


def _only_object(text: str) -> dict[str, Any]:
    answers = [found for found in _objects(text) if "criteria" in found or "objection" in found]
    if not answers:
        raise VerdictError("В ответе нет целого объекта JSON по образцу.")
    if len(answers) > 1:
        raise VerdictError("В ответе несколько объектов JSON, нужен один.")
    return answers[0]


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield the outermost objects in the text. A brace that opens no object is prose."""
    decoder = json.JSONDecoder(object_pairs_hook=_without_repeats)
    position = text.find("{")
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
            yield found
        position = text.find("{", end)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise VerdictError("В объекте JSON один ключ стоит дважды.")
    return dict(pairs)


def _in_protocol_shape(raw: dict[str, Any], rubric: Rubric) -> dict[str, Any]:
    """Move criteria from the top level into `criteria`; give a list of checks the rubric's ids."""
    if "criteria" not in raw:
        nested = {key: raw[key] for key in _CRITERIA if key in raw}
        raw = {key: value for key, value in raw.items() if key not in nested} | {"criteria": nested}
    if not isinstance(raw["criteria"], dict):
        return raw
    criteria = {key: _with_check_ids(entry, key, rubric) for key, entry in raw["criteria"].items()}
    return raw | {"criteria": criteria}


def _with_check_ids(entry: Any, key: str, rubric: Rubric) -> Any:
    if (
        key not in _CRITERIA
        or not isinstance(entry, dict)
        or not isinstance(entry.get("checks"), list)
    ):
        return entry
    ids = rubric.criteria[Criterion(key)].check_ids
    return (
        entry | {"checks": dict(zip(ids, entry["checks"], strict=True))}
        if len(entry["checks"]) == len(ids)
        else entry
    )
