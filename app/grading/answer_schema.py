"""Build the JSON schema of the model's answer, for servers that enforce one.

It has the form that OpenAI calls strict: every property is required, and no other is allowed.
"""

from typing import Any

from app.domain.criteria import Check, Criterion
from app.domain.critical import CriticalFault
from app.domain.grades import GRADE_CODES, Grade
from app.grading.rubric import Rubric

Schema = dict[str, Any]

_NUMBER: Schema = {"type": "integer"}
_TEXT: Schema = {"type": "string"}
_CHECK: Schema = {"type": "string", "enum": [check.value for check in Check]}
_ANSWERED: Schema = {"type": "string", "enum": [Check.YES.value, Check.NO.value]}
_FAULT: Schema = {"type": "string", "enum": [fault.value for fault in CriticalFault]}


def make_answer_schema(rubric: Rubric) -> Schema:
    """Return the schema of an answer by this rubric, in the order of the prompt's shape.

    Servers that enforce a schema write the properties in its order.
    """
    criteria = {
        criterion.value: _make_criterion(criterion, entry.asked_ids)
        for criterion, entry in rubric.criteria.items()
    }
    return _make_object(
        objections=_make_list(_make_object(i=_NUMBER, q=_TEXT, a=_ANSWERED)),
        critical=_make_list(_make_object(fault=_FAULT, i=_NUMBER, q=_TEXT)),
        criteria=_make_object(**criteria),
        summary=_TEXT,
        recommendations=_make_list(_make_object(i=_NUMBER, t=_TEXT)),
    )


def _make_criterion(criterion: Criterion, check_ids: tuple[str, ...]) -> Schema:
    grades = [
        code
        for code, grade in GRADE_CODES.items()
        if grade is not Grade.NONE or criterion is Criterion.OBJECTION_HANDLING
    ]
    return _make_object(
        ev=_make_list(_make_object(i=_NUMBER, q=_TEXT)),
        why=_TEXT,
        checks=_make_object(**dict.fromkeys(check_ids, _CHECK)),
        grade={"type": "string", "enum": grades},
    )


def _make_object(**properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _make_list(items: Schema) -> Schema:
    return {"type": "array", "items": items}
