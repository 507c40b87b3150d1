"""The schema accepts the answers that the prompt asks for, and no others."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from app.grading.answer_schema import make_answer_schema
from app.grading.model_answer import parse_answer
from app.grading.prompt import system_message
from app.grading.rubric import Rubric, load_rubric

RUBRIC = load_rubric(None)
VALIDATOR = Draft202012Validator(make_answer_schema(RUBRIC))
Answer = dict[str, Any]


def read_example(rubric: Rubric = RUBRIC) -> Answer:
    """Return the answer that ends the prompt."""
    answer: Answer = json.loads(system_message(rubric).rsplit("\n", 1)[1])
    return answer


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
    assert len(objects) == 1 + 1 + 1 + 6 * 3 + 1
    for part in objects:
        assert part["additionalProperties"] is False
        assert part["required"] == list(part["properties"])


def test_example_of_the_prompt_conforms_in_the_order_of_the_schema() -> None:
    example = read_example()
    VALIDATOR.validate(example)
    assert list(example) == list(make_answer_schema(RUBRIC)["properties"])
    clarity = make_answer_schema(RUBRIC)["properties"]["criteria"]["properties"]["clarity"]
    assert list(example["criteria"]["clarity"]) == list(clarity["properties"])


def test_answer_without_an_objection_conforms() -> None:
    answer = read_example()
    answer["objection"] = {"present": False, "i": None, "q": None}
    handling = answer["criteria"]["objection_handling"]
    handling |= {"checks": dict.fromkeys(handling["checks"], "na"), "ev": [], "grade": "none"}
    answer["recommendations"] = []
    VALIDATOR.validate(answer)
    parse_answer(json.dumps(answer, ensure_ascii=False), RUBRIC)


def test_checks_are_those_of_the_rubric() -> None:
    raw = RUBRIC.model_dump(mode="json")
    raw["criteria"]["closure"]["checks"][0]["id"] = "own_check"
    own = Rubric.model_validate(raw)
    Draft202012Validator(make_answer_schema(own)).validate(read_example(own))
    assert not VALIDATOR.is_valid(read_example(own))


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
        lambda answer: answer["objection"].update(present="true"),
        lambda answer: answer["recommendations"].append({"i": 1}),
    ],
)
def test_any_other_answer_does_not_conform(spoil: Callable[[Answer], object]) -> None:
    answer = read_example()
    spoil(answer)
    assert not VALIDATOR.is_valid(answer)
