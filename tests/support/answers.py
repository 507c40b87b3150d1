"""Raw answers of the model, parsed or refused by the product's rubric."""

import json
from typing import Any

import pytest

from app.grading.model_answer import ModelAnswer, parse_answer
from app.grading.rubric import load_rubric
from app.grading.verdict_error import VerdictError
from tests.support.chats import answer, criterion

GOOD = json.dumps(answer(), ensure_ascii=False)
DRAFT = json.dumps(answer(tonality=criterion("tonality", "n n n", "low")), ensure_ascii=False)
HANDLED = criterion("objection_handling", "y y", "high")
_RUBRIC = load_rubric(None)


def parse(raw: dict[str, Any] | str) -> ModelAnswer:
    """Return the parsed answer."""
    return parse_answer(raw if isinstance(raw, str) else json.dumps(raw), _RUBRIC)


def read_refusal(raw: dict[str, Any] | str) -> str:
    """Return the reason for which the answer is refused."""
    with pytest.raises(VerdictError) as raised:
        parse(raw)
    return str(raised.value)


def answer_with_tonality(**changes: Any) -> dict[str, Any]:
    """Return a good answer with changes of its first criterion."""
    return answer(tonality=criterion("tonality") | changes)
