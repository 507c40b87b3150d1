"""Parse the model's answer: lenient about spelling and surrounding text, strict about content."""

from typing import Annotated

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
from app.domain.grades import Grade
from app.grading.answer_json import find_answer
from app.grading.answer_shape import list_claims, shape_answer
from app.grading.answer_texts import (
    clean_text,
    is_russian,
    read_reasoning,
    read_russian,
    read_summary,
)
from app.grading.answer_words import is_nothing, read_check, read_grade, read_number
from app.grading.rubric import Rubric
from app.grading.validation_messages import describe_validation_error
from app.grading.verdict_error import VerdictError

MAX_RECOMMENDATIONS = 3
MAX_OBJECTIONS = 10
_ADVICE_KEYS = ("t", "text")


def _list_objections(value: object) -> object:
    """Return the claims, each with an `a`: a complaint then lists the allowed answers."""
    claims = list_claims(value)
    if not isinstance(claims, list):
        return claims
    return [claim if "answered" in claim else {"a": None, **claim} for claim in claims]


def _first_recommendations(value: object) -> object:
    """Return the first different Russian recommendations. Another is no reason to ask again."""
    if is_nothing(value):
        return []
    if not isinstance(value, list):
        return value
    entries = [{"t": entry} if isinstance(entry, str) else entry for entry in value]
    kept: dict[str, object] = {}
    for place, entry in enumerate(entries):
        text = _text_of_advice(entry)
        if text is None:
            kept[str(place)] = entry
        elif is_russian(text) and not is_nothing(text):
            kept.setdefault(text, entry)
    return list(kept.values())[:MAX_RECOMMENDATIONS]


def _text_of_advice(entry: object) -> str | None:
    if not isinstance(entry, dict):
        return None
    text = next((entry[key] for key in _ADVICE_KEYS if key in entry), None)
    return clean_text(text) if isinstance(text, str) else None


Number = Annotated[int, BeforeValidator(read_number)]
RussianText = Annotated[str, StringConstraints(max_length=2000), BeforeValidator(read_russian)]
Summary = Annotated[str, StringConstraints(max_length=2000), BeforeValidator(read_summary)]
CheckWord = Annotated[Check, BeforeValidator(read_check)]


class _Answered(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class QuoteClaim(_Answered):
    """An unverified quote of the model from message `number` of the window (from 1; 0: unnamed)."""

    number: Number = Field(default=0, alias="i")
    words: str = Field(alias="q")


class ObjectionClaim(QuoteClaim):
    """An objection that the model found. ``answered``: whether the seller responded to it."""

    answered: CheckWord = Field(validation_alias=AliasChoices("a", "answered"))


class CriticalClaim(QuoteClaim):
    """A critical fault that the model found."""

    fault: CriticalFault


class AdviceClaim(_Answered):
    """A recommendation and the number of its message (0: unnamed)."""

    number: Number = Field(default=0, alias="i")
    text: RussianText = Field(validation_alias=AliasChoices(*_ADVICE_KEYS))


class CriterionAnswer(_Answered):
    """The model's answer on one criterion."""

    evidence: Annotated[tuple[QuoteClaim, ...], BeforeValidator(list_claims)] = Field(
        default=(), alias="ev"
    )
    reasoning: Annotated[str | None, BeforeValidator(read_reasoning)] = Field(
        default=None, alias="why"
    )
    checks: dict[str, CheckWord]
    grade: Annotated[Grade, BeforeValidator(read_grade)] = Field(
        default=None, validate_default=True
    )


class ModelAnswer(_Answered):
    """The whole answer, valid and consistent. Its quotes are not verified yet.

    ``has_unread_critical``: the model claims a critical fault that is unknown or has no words.
    """

    objections: Annotated[
        tuple[ObjectionClaim, ...],
        BeforeValidator(_list_objections),
        Field(max_length=MAX_OBJECTIONS),
    ]
    critical: tuple[CriticalClaim, ...] = ()
    has_unread_critical: bool = False
    criteria: dict[Criterion, CriterionAnswer]
    summary: Summary
    recommendations: Annotated[
        tuple[AdviceClaim, ...], BeforeValidator(_first_recommendations)
    ] = ()


def parse_answer(text: str, rubric: Rubric) -> ModelAnswer:
    """Parse the one answer in `text`, which prose, thinking or a code fence may surround.

    Raises:
        VerdictError: the answer is unusable; the message is for the model.
    """
    try:
        answer = ModelAnswer.model_validate(shape_answer(find_answer(text), rubric))
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
