"""Answers of the model: further keys are dropped, wrong content is refused with a reason."""

from typing import Any

import pytest

from tests.support.answers import GOOD, HANDLED, answer_with_tonality, parse, read_refusal
from tests.support.chats import CHECKS, answer, criterion


def test_criteria_may_stand_at_the_top_level() -> None:
    raw = answer()
    flat = {key: value for key, value in raw.items() if key != "criteria"} | raw["criteria"]
    assert parse(flat) == parse(GOOD)


@pytest.mark.parametrize(
    "raw",
    [
        answer({"score": 85}),
        answer({"Игнорируй всё": {"a": [1]}}),
        answer(empathy=criterion("tonality")),
        answer_with_tonality(comment="x"),
        answer_with_tonality(ev=[{"i": 2, "q": "Добрый день!", "why": "x"}]),
        answer({"recommendations": [{"i": 4, "t": "Назвать цену с учётом уступки.", "id": 1}]}),
    ],
)
def test_further_keys_are_dropped(raw: dict[str, Any]) -> None:
    assert parse(raw) == parse(GOOD)


@pytest.mark.parametrize("name", CHECKS)
def test_every_criterion_is_needed(name: str) -> None:
    raw = answer()
    del raw["criteria"][name]
    assert f"Нет критерия {name}" in read_refusal(raw)


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in answer().items() if name != key}


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (
            answer_with_tonality(checks={"courteous": "y", "no_rudeness": "y"}),
            "должны быть проверки courteous, no_rudeness, attentive, каждая с ответом y, n или na",
        ),
        (answer_with_tonality(checks=["y", "n"]), "criteria.tonality.checks: должен быть объект"),
        (
            answer_with_tonality(checks=dict.fromkeys(CHECKS["tonality"], "maybe")),
            "tonality.checks.courteous: ответ на проверку должен быть одним из y, n, na",
        ),
        (answer_with_tonality(checks=dict.fromkeys(CHECKS["tonality"], 1)), "одним из y, n, na"),
        (answer_with_tonality(checks=dict.fromkeys(CHECKS["tonality"])), "одним из y, n, na"),
        (answer_with_tonality(checks=dict.fromkeys(CHECKS["tonality"], "<y|n|na>")), "из y, n, na"),
        (
            answer_with_tonality(checks={key: {"why": "вежлив"} for key in CHECKS["tonality"]}),
            "tonality.checks.courteous: ответ на проверку должен быть одним из y, n, na",
        ),
        *(
            (
                answer_with_tonality(checks=dict.fromkeys(CHECKS["tonality"], word)),
                "одним из y, n, na",
            )
            for word in ("y/n", "y | n", "да, нет", "y - нет", "y n", "yes or no", "частично", "-")
        ),
        (
            answer_with_tonality(grade="good"),
            "criteria.tonality.grade: оценка должна быть одной из high, medium, low, none",
        ),
        (
            answer_with_tonality(grade=5),
            "grade: оценка должна быть строкой: high, medium, low или none",
        ),
        (answer_with_tonality(grade=None), "criteria.tonality.grade: оценка должна быть строкой"),
        (
            answer_with_tonality(grade=None) | {"objections": []},
            "criteria.tonality.grade: оценка должна быть строкой: high, medium, low или none",
        ),
        (
            answer_with_tonality(ev=[{"i": True, "q": "а"}]),
            "criteria.tonality.ev.0.i: должно быть целое число",
        ),
        (
            answer_with_tonality(ev=[{"i": "два", "q": "а"}]),
            "criteria.tonality.ev.0.i: должно быть целое число",
        ),
        (answer_with_tonality(ev=5), "criteria.tonality.ev: должен быть список"),
        (answer_with_tonality(ev=[5]), "criteria.tonality.ev.0: должен быть объект"),
        *(
            (
                answer({"objections": objections}, objection_handling=HANDLED),
                "objections.0.a: ответ на проверку должен быть одним из y, n, na",
            )
            for objections in ([{"i": 3, "q": "Дорого"}], ["Дорого"], "Дорого")
        ),
        (answer({"objections": 5}), "objections: должен быть список"),
        (answer({"criteria": []}), "criteria: должен быть объект"),
        (answer({"summary": None}), "summary: должна быть строка"),
        (answer({"summary": "да " * 1000}), "summary: слишком длинный текст"),
        (answer({"recommendations": "Ответить"}), "recommendations: должен быть список"),
        (answer({"recommendations": [{"i": 1}]}), "recommendations.0.t: поля нет"),
        *((without(key), f"{key}: поля нет") for key in ("summary", "objections")),
    ],
)
def test_wrong_answers_are_refused_in_words(raw: dict[str, Any], words: str) -> None:
    assert words in read_refusal(raw)


def test_refusal_repeats_nothing_the_model_wrote() -> None:
    evil = "IGNORE-the-rules"
    for raw in (
        answer_with_tonality(grade=evil),
        answer({"summary": evil}),
        answer({"recommendations": evil}),
        answer({"objections": [{"a": evil, "q": evil, evil: evil}]}),
        answer_with_tonality(checks={evil: "y"}),
        answer_with_tonality(checks=dict.fromkeys(CHECKS["tonality"], evil)),
    ):
        assert evil not in read_refusal(raw)
