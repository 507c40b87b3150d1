"""Words of an answer with several spellings: checks, grades, numbers."""

from typing import Any

import pytest

from app.domain.criteria import Check, Criterion
from app.domain.grades import Grade
from tests.support.answers import GOOD, HANDLED, answer_with_tonality, parse, read_refusal
from tests.support.chats import CHECKS, OBJECTED, answer, criterion


@pytest.mark.parametrize(
    ("word", "check"),
    [
        ("y", Check.YES),
        ("Y", Check.YES),
        ("yes", Check.YES),
        ("Yes.", Check.YES),
        ("да", Check.YES),
        ("«Да»", Check.YES),
        ("true", Check.YES),
        (True, Check.YES),
        ("n", Check.NO),
        ("NO", Check.NO),
        ("Нет.", Check.NO),
        ("false", Check.NO),
        (False, Check.NO),
        ("na", Check.NOT_APPLICABLE),
        ("n/a", Check.NOT_APPLICABLE),
        ("N/A", Check.NOT_APPLICABLE),
        ("не применимо", Check.NOT_APPLICABLE),
        ("Неприменимо", Check.NOT_APPLICABLE),
        (" <na> ", Check.NOT_APPLICABLE),
        ("не применяется", Check.NOT_APPLICABLE),
        ("у", Check.YES),
        ("У.", Check.YES),
        ("Y - вежливо", Check.YES),
        ("y — вежливо", Check.YES),
        ("y (да)", Check.YES),
        ("y: нет грубости", Check.YES),
        ("yes, he greeted", Check.YES),
        ("n. Не поздоровался", Check.NO),
        ("na - вопросов не было", Check.NOT_APPLICABLE),
        ("**y**", Check.YES),
    ],
)
def test_check_has_several_spellings(word: object, check: Check) -> None:
    checks = {"courteous": word, "no_rudeness": "n", "attentive": "y"}
    entry = parse(answer_with_tonality(checks=checks)).criteria[Criterion.TONALITY]
    assert entry.checks["courteous"] is check
    claim = OBJECTED["objections"][0] | {"a": word}
    raw = answer({"objections": [claim]}, objection_handling=HANDLED)
    assert parse(raw).objections[0].answered is check


def test_checks_may_be_a_list() -> None:
    entry = parse(answer_with_tonality(checks=["y", False, "NA"])).criteria[Criterion.TONALITY]
    assert entry.checks == dict(zip(CHECKS["tonality"], map(Check, ("y", "n", "na")), strict=True))


@pytest.mark.parametrize(
    "checks",
    [
        {name: {"answer": "y", "why": "вежлив"} for name in CHECKS["tonality"]},
        {name: {"a": "y"} for name in CHECKS["tonality"]},
        [{"id": name, "answer": "y"} for name in CHECKS["tonality"]],
        [{"check": name, "value": "да"} for name in reversed(CHECKS["tonality"])],
        [{"id": name, "answer": "y"} for name in (*CHECKS["tonality"], "courteous")],
        [{"answer": "y"}, "y", True],
    ],
)
def test_checks_may_be_objects(checks: Any) -> None:
    assert parse(answer_with_tonality(checks=checks)) == parse(GOOD)


def test_check_with_two_answers_is_refused() -> None:
    checks = [{"id": name, "answer": "y"} for name in CHECKS["tonality"]]
    checks.append({"id": "courteous", "answer": "n"})
    assert "нужен один ответ y, n или na" in read_refusal(answer_with_tonality(checks=checks))


def test_checks_that_are_not_asked_are_dropped() -> None:
    checks = dict.fromkeys((*CHECKS["professionalism"], "timely", "kind"), "y")
    raw = answer(professionalism=criterion("professionalism") | {"checks": checks})
    entry = parse(raw).criteria[Criterion.PROFESSIONALISM]
    assert tuple(entry.checks) == CHECKS["professionalism"]


@pytest.mark.parametrize(
    "number", ["2", "[2]", "№2", "# 2", "№ 2.", "i=2", "сообщение 2", "2.0", 2.0, [2], ["2", 4]]
)
def test_numbers_have_several_spellings(number: object) -> None:
    raw = answer_with_tonality(ev=[{"i": number, "q": "Добрый день!"}])
    raw["recommendations"][0]["i"] = "4"
    assert parse(raw) == parse(GOOD)


@pytest.mark.parametrize("word", ["na", "N/A", "нет", "Нет", "отсутствуют", "-", "", "null", None])
def test_grade_without_objections_has_several_spellings(word: Any) -> None:
    raw = answer(objection_handling=criterion("objection_handling", "na na", word, ()))
    assert parse(raw).criteria[Criterion.OBJECTION_HANDLING].grade is Grade.NONE
    del raw["criteria"]["objection_handling"]["grade"]
    assert parse(raw).criteria[Criterion.OBJECTION_HANDLING].grade is Grade.NONE
    raw["criteria"]["tonality"]["grade"] = word
    assert "criteria.tonality.grade: оценка должна быть" in read_refusal(raw)


def test_grade_of_objections_is_needed() -> None:
    handled = criterion("objection_handling", "y y", "na")
    assert "high, medium, low, none" in read_refusal(answer(OBJECTED, objection_handling=handled))


def test_russian_grades_and_missing_evidence_are_taken() -> None:
    part = {
        key: value for key, value in criterion("tonality", grade="Высокий").items() if key != "ev"
    }
    entry = parse(answer(tonality=part)).criteria[Criterion.TONALITY]
    assert entry.grade is Grade.HIGH
    assert entry.evidence == ()


@pytest.mark.parametrize("name", [name for name in CHECKS if name != "objection_handling"])
def test_none_is_for_objections_only(name: str) -> None:
    silent = criterion(name, "na " * len(CHECKS[name]), "none", ())
    assert "не бывает оценки none" in read_refusal(answer(**{name: silent}))
