"""The rubric: what the model checks for each criterion.

It is loaded from a file, so that a company can use its own.
"""

from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from app.domain.criteria import Criterion
from app.domain.critical import CriticalFault
from app.grading.validation_messages import describe_validation_error

BUILT_IN = Path(__file__).with_name("rubric.json")
CHECKS_EACH = 3

# One line of visible text: a tab or a line break would break the prompt's lines, and Postgres
# stores no NUL.
_ONE_LINE = r"^[^\p{Cc}\p{Zl}\p{Zp}]*$"

Words = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=600, pattern=_ONE_LINE)
]


class RubricError(ValueError):
    """The rubric file cannot be used; the Russian message names the file and the field."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Computed(StrEnum):
    """What code knows about a check."""

    ANSWER_TIMES = "answer_times"
    """``n`` if an answer was late (``app.domain.timeliness``). The model is not asked."""
    OBJECTIONS = "objections"
    """``n`` if an objection has no answer. The model is asked about each objection instead."""
    LAST_QUESTION = "last_question"
    """``n`` if the chat ends with a question of the buyer; otherwise the model's answer counts."""


class RubricCheck(_Entry):
    """One observable check; the model answers it by its id with y, n or na.

    ``computed``: code answers it, always or in evident cases.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    text: Words
    computed: Computed | None = None

    @property
    def is_asked(self) -> bool:
        """Return whether the model is asked."""
        return self.computed in {None, Computed.LAST_QUESTION}


class Anchors(_Entry):
    """Descriptions of the levels; only objection_handling has `none`."""

    high: Words
    medium: Words
    low: Words
    none: Words | None = None


def _three_different(checks: tuple[RubricCheck, ...]) -> tuple[RubricCheck, ...]:
    """Require three different checks.

    pydantic would not count checks that are invalid themselves.
    """
    if len(checks) != CHECKS_EACH:
        raise ValueError(f"проверок должно быть {CHECKS_EACH}, а не {len(checks)}")
    if len({check.id for check in checks}) < CHECKS_EACH:
        raise ValueError("две проверки с одним id")
    return checks


class RubricCriterion(_Entry):
    """A criterion: a sentence, three checks, an anchor for each level, its weight in the score."""

    sentence: Words
    weight: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1
    checks: Annotated[tuple[RubricCheck, ...], AfterValidator(_three_different)]
    anchors: Anchors

    @cached_property
    def check_ids(self) -> tuple[str, ...]:
        """Return the ids of the checks in order."""
        return tuple(check.id for check in self.checks)

    @cached_property
    def asked_ids(self) -> tuple[str, ...]:
        """Return the ids of the checks that the model answers, in order."""
        return tuple(check.id for check in self.checks if check.is_asked)


def _complete_and_in_order(
    criteria: dict[Criterion, RubricCriterion],
) -> dict[Criterion, RubricCriterion]:
    missing = [criterion.value for criterion in Criterion if criterion not in criteria]
    if missing:
        raise ValueError(f"нет критериев: {', '.join(missing)}")
    for criterion, entry in criteria.items():
        if (entry.anchors.none is not None) != (criterion is Criterion.OBJECTION_HANDLING):
            raise ValueError("уровень none нужен в objection_handling и только там")
        computed = {check.computed for check in entry.checks}
        if Computed.OBJECTIONS in computed and criterion is not Criterion.OBJECTION_HANDLING:
            raise ValueError("computed: objections бывает только в objection_handling")
        if not entry.asked_ids:
            raise ValueError("хотя бы на одну проверку должна отвечать модель")
    return {criterion: criteria[criterion] for criterion in Criterion}


def _every_fault(texts: dict[CriticalFault, str]) -> dict[CriticalFault, str]:
    missing = [fault.value for fault in CriticalFault if fault not in texts]
    if missing:
        raise ValueError(f"нет критических ошибок: {', '.join(missing)}")
    return {fault: texts[fault] for fault in CriticalFault}


def _read_built_in_faults() -> dict[CriticalFault, str]:
    """Return the built-in texts, for a file of a company without its own."""
    return Rubric.model_validate_json(BUILT_IN.read_text(encoding="utf-8")).critical


class Rubric(_Entry):
    """All six criteria in the order of Criterion, regardless of the file's order.

    ``critical``: what each critical fault is.
    """

    version: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=40, pattern=_ONE_LINE),
    ]
    criteria: Annotated[dict[Criterion, RubricCriterion], AfterValidator(_complete_and_in_order)]
    critical: Annotated[
        dict[CriticalFault, Words],
        Field(default_factory=_read_built_in_faults),
        AfterValidator(_every_fault),
    ]

    def __hash__(self) -> int:
        """Make a rubric a key of caches."""
        return hash(self.version)

    @property
    def weights(self) -> dict[Criterion, float]:
        """Return the weight of each criterion in the score."""
        return {criterion: entry.weight for criterion, entry in self.criteria.items()}


def load_rubric(path: Path | None) -> Rubric:
    """Return the rubric in the file at `path`, or the built-in one for None.

    Raises:
        RubricError: the file cannot be used.
    """
    source = path or BUILT_IN
    try:
        text = source.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RubricError(
            f"Файл критериев {source} не читается: проверьте путь, права и кодировку UTF-8."
        ) from error
    try:
        return Rubric.model_validate_json(text)
    except ValidationError as error:
        if error.errors()[0]["type"] == "json_invalid":
            raise RubricError(
                f"Файл критериев {source} — не JSON: исправьте запятые, кавычки и скобки."
            ) from error
        raise RubricError(
            f"Файл критериев {source} — {describe_validation_error(error)}."
        ) from error
