"""Build the JSON schema of the model's answer, for servers that enforce one.

It has the form that OpenAI calls strict: every property is required, and no other is allowed.
"""

from typing import Any

from app.domain.criteria import Check, Criterion
from app.domain.grades import GRADE_CODES, Grade
from app.grading.rubric import Rubric

Schema = dict[str, Any]

_NUMBER: Schema = {"type": "integer"}
_TEXT: Schema = {"type": "string"}
_CHECK: Schema = {"type": "string", "enum": [check.value for check in Check]}


def make_answer_schema(rubric: Rubric) -> Schema:
    """Return the schema of an answer by this rubric, in the order of the prompt's example.

    Servers that enforce a schema write the properties in its order.
    """
    criteria = {
        criterion.value: _make_criterion(criterion, entry.check_ids)
        for criterion, entry in rubric.criteria.items()
    }
    return _make_object(
        objection=_make_object(
            present={"type": "boolean"}, i=_make_nullable(_NUMBER), q=_make_nullable(_TEXT)
        ),
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
        checks=_make_object(**dict.fromkeys(check_ids, _CHECK)),
        ev=_make_list(_make_object(i=_NUMBER, q=_TEXT)),
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


def _make_nullable(schema: Schema) -> Schema:
    return {"type": [schema["type"], "null"]}
