"""The schema accepts the answers that the prompt asks for, and no others."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from app.grading.answer_schema import make_answer_schema
from app.grading.model_answer import parse_answer
from app.grading.prompt import system_message
from app.grading.rubric import Rubric, load_rubric
from tests.support.chats import OBJECTED, answer, criterion

RUBRIC = load_rubric(None)
VALIDATOR = Draft202012Validator(make_answer_schema(RUBRIC))
Answer = dict[str, Any]


def read_shape() -> Answer:
    """Return the shape that ends the prompt."""
    shape: Answer = json.loads(system_message(RUBRIC).rsplit("\n", 1)[1])
    return shape


def make_example() -> Answer:
    """Return an answer with an objection and a critical fault."""
    fault = {"fault": "insult", "i": 2, "q": "Добрый день!"}
    changes = deepcopy(OBJECTED) | {"critical": [fault]}
    return answer(changes, objection_handling=criterion("objection_handling"))


def list_objects(schema: Any) -> list[Answer]:
    """Return every part of a schema that describes an object."""
    if isinstance(schema, list):
        return [found for part in schema for found in list_objects(part)]
    if not isinstance(schema, dict):
        return []
    inner = [found for part in schema.values() for found in list_objects(part)]
    return [schema, *inner] if "properties" in schema else inner


def test_schema_is_valid_and_strict() -> None:
    schema = make_answer_schema(RUBRIC)
    Draft202012Validator.check_schema(schema)
    objects = list_objects(schema)
    assert len(objects) == 1 + 1 + 1 + 1 + 6 * 3 + 1
    for part in objects:
        assert part["additionalProperties"] is False
        assert part["required"] == list(part["properties"])


def test_schema_has_the_order_of_the_prompt() -> None:
    VALIDATOR.validate(make_example())
    shape = read_shape()
    assert list(shape) == list(make_answer_schema(RUBRIC)["properties"])
    clarity = make_answer_schema(RUBRIC)["properties"]["criteria"]["properties"]["clarity"]
    assert list(shape["criteria"]["clarity"]) == list(clarity["properties"])


def test_answer_without_an_objection_conforms() -> None:
    example = answer({"recommendations": []})
    VALIDATOR.validate(example)
    parse_answer(json.dumps(example, ensure_ascii=False), RUBRIC)


def test_checks_are_those_of_the_rubric() -> None:
    raw = RUBRIC.model_dump(mode="json")
    raw["criteria"]["closure"]["checks"][0]["id"] = "own_check"
    own = Rubric.model_validate(raw)
    example = make_example()
    checks = example["criteria"]["closure"]["checks"]
    checks["own_check"] = checks.pop("next_step")
    Draft202012Validator(make_answer_schema(own)).validate(example)
    assert not VALIDATOR.is_valid(example)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda answer: answer.update(charisma="high"),
        lambda answer: answer.pop("summary"),
        lambda answer: answer["criteria"].pop("closure"),
        lambda answer: answer["criteria"].update(charisma=answer["criteria"]["closure"]),
        lambda answer: answer["criteria"]["clarity"]["checks"].popitem(),
        lambda answer: answer["criteria"]["clarity"]["checks"].update(direct_answers="yes"),
        lambda answer: answer["criteria"]["clarity"].update(grade="excellent"),
        lambda answer: answer["criteria"]["clarity"].update(grade="none"),
        lambda answer: answer["criteria"]["clarity"]["ev"][0].update(i="2"),
        lambda answer: answer["objections"][0].update(a="na"),
        lambda answer: answer["critical"][0].update(fault="rude"),
        lambda answer: answer["recommendations"].append({"i": 1}),
    ],
)
def test_any_other_answer_does_not_conform(spoil: Callable[[Answer], object]) -> None:
    example = make_example()
    spoil(example)
    assert not VALIDATOR.is_valid(example)
