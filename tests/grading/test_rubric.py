"""The built-in rubric, and what a company's own may not be."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.domain.criteria import Criterion
from app.domain.critical import CriticalFault
from app.grading.rubric import BUILT_IN, Computed, RubricCheck, RubricError, load_rubric
from tests.support.chats import CHECKS

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def own(tmp_path: Path) -> Callable[[Change], Path]:
    """Writes the built-in rubric with a change to a file."""

    def write(change: Change) -> Path:
        rubric = json.loads(BUILT_IN.read_text(encoding="utf-8"))
        change(rubric)
        path = tmp_path / "rubric.json"
        path.write_text(json.dumps(rubric, ensure_ascii=False), encoding="utf-8")
        return path

    return write


def test_built_in_rubric() -> None:
    rubric = load_rubric(None)
    asked = {criterion.value: entry.asked_ids for criterion, entry in rubric.criteria.items()}
    assert asked == CHECKS
    assert list(rubric.criteria) == list(Criterion)
    assert set(rubric.weights.values()) == {1}
    assert list(rubric.critical) == list(CriticalFault)


def test_code_answers_three_checks_of_the_built_in_rubric() -> None:
    computed = {
        check.id: check.computed
        for entry in load_rubric(None).criteria.values()
        for check in entry.checks
        if check.computed
    }
    assert computed == {
        "timely": Computed.ANSWER_TIMES,
        "acknowledged": Computed.OBJECTIONS,
        "no_hanging": Computed.LAST_QUESTION,
    }


@pytest.mark.parametrize(
    ("computed", "is_asked"),
    [(None, True), ("last_question", True), ("answer_times", False), ("objections", False)],
)
def test_check_is_asked_unless_code_alone_answers_it(
    computed: str | None, *, is_asked: bool
) -> None:
    check = RubricCheck.model_validate({"id": "x", "text": "у", "computed": computed})
    assert check.is_asked is is_asked


def test_file_of_an_earlier_release_is_accepted(own: Callable[[Change], Path]) -> None:
    """It has neither `critical` nor `computed`. The model then answers all checks."""

    def make_old(rubric: dict[str, Any]) -> None:
        del rubric["critical"]
        for entry in rubric["criteria"].values():
            for check in entry["checks"]:
                check.pop("computed", None)

    old = load_rubric(own(make_old))
    assert old.critical == load_rubric(None).critical
    assert all(entry.asked_ids == entry.check_ids for entry in old.criteria.values())


def test_own_texts_of_critical_faults(own: Callable[[Change], Path]) -> None:
    def change(rubric: dict[str, Any]) -> None:
        rubric["critical"] = dict(reversed(rubric["critical"].items())) | {"insult": "Хамит."}

    critical = load_rubric(own(change)).critical
    assert list(critical) == list(CriticalFault)
    assert critical[CriticalFault.INSULT] == "Хамит."


def test_order_of_the_file_does_not_matter(own: Callable[[Change], Path]) -> None:
    path = own(lambda rubric: rubric.update(criteria=dict(reversed(rubric["criteria"].items()))))
    assert list(load_rubric(path).criteria) == list(Criterion)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda r: r.pop("version"), "version: поля нет"),
        (lambda r: r.update(extra=1), "extra: лишнее поле"),
        (lambda r: r["criteria"].pop("closure"), "нет критериев: closure"),
        (
            lambda r: r["criteria"].update(empathy=r["criteria"]["closure"]),
            "criteria.empathy: такого значения нет",
        ),
        (
            lambda r: r["criteria"]["closure"]["checks"].pop(),
            "criteria.closure.checks: проверок должно быть 3, а не 2",
        ),
        (
            lambda r: r["criteria"]["closure"]["checks"].append({"id": "x", "text": "у"}),
            "closure.checks: проверок должно быть 3, а не 4",
        ),
        (
            lambda r: r["criteria"]["closure"]["checks"][0].update(id="agreement"),
            "closure.checks: две проверки с одним id",
        ),
        (
            lambda r: r["criteria"]["closure"]["checks"][0].update(id="Шаг"),
            "checks.0.id: недопустимые знаки",
        ),
        (
            lambda r: r["criteria"]["closure"]["checks"][0].update(text="  "),
            "checks.0.text: пустая строка",
        ),
        (
            lambda r: r["criteria"]["closure"]["checks"][0].update(text="а\0б"),
            "checks.0.text: недопустимые знаки",
        ),
        (
            lambda r: r["criteria"]["closure"]["checks"][0].update(text="а\nб"),
            "checks.0.text: недопустимые знаки",
        ),
        (
            lambda r: r["criteria"]["closure"]["anchors"].update(low="\x9bб"),
            "anchors.low: недопустимые знаки",
        ),
        (
            lambda r: r["criteria"]["closure"].update(sentence="а\u2028б"),
            "sentence: недопустимые знаки",
        ),
        (lambda r: r.update(version="а\x1bб"), "version: недопустимые знаки"),
        (lambda r: r["criteria"]["closure"]["anchors"].pop("low"), "anchors.low: поля нет"),
        (
            lambda r: r["criteria"]["closure"]["anchors"].update(none="нет"),
            "none нужен в objection_handling и только там",
        ),
        (
            lambda r: r["criteria"]["objection_handling"]["anchors"].pop("none"),
            "none нужен в objection_handling и только там",
        ),
        (
            lambda r: r["criteria"]["closure"].update(weight=0),
            "weight: число должно быть больше нуля",
        ),
        (lambda r: r["criteria"]["closure"].update(weight="много"), "weight: должно быть число"),
        (lambda r: r["criteria"]["closure"].update(sentence=5), "sentence: должна быть строка"),
        (lambda r: r.update(criteria=[]), "criteria: должен быть объект"),
        (
            lambda r: r["criteria"]["closure"]["checks"][0].update(computed="magic"),
            "checks.0.computed: такого значения нет в списке допустимых",
        ),
        (
            lambda r: r["criteria"]["closure"]["checks"][0].update(computed="objections"),
            "computed: objections бывает только в objection_handling",
        ),
        (
            lambda r: [
                check.update(computed="answer_times")
                for check in r["criteria"]["closure"]["checks"]
            ],
            "хотя бы на одну проверку должна отвечать модель",
        ),
        (lambda r: r["critical"].pop("insult"), "critical: нет критических ошибок: insult"),
        (lambda r: r["critical"].update(theft="у"), "critical.theft: такого значения нет"),
        (lambda r: r["critical"].update(insult=" "), "critical.insult: пустая строка"),
        (lambda r: r.update(critical=[]), "critical: должен быть объект"),
    ],
)
def test_broken_rubric_is_said_in_russian(
    own: Callable[[Change], Path], change: Change, words: str
) -> None:
    """One fault is one complaint, whatever else it has pydantic stumble over."""
    path = own(change)
    with pytest.raises(RubricError) as raised:
        load_rubric(path)
    assert words in str(raised.value)
    assert str(path) in str(raised.value)
    assert ";" not in str(raised.value)


@pytest.mark.parametrize("content", [b"{", b"", b"\xff\xfe\x00", b'{"version": }'])
def test_file_that_is_no_json(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rubric.json"
    path.write_bytes(content)
    with pytest.raises(RubricError, match=r"не JSON|не читается"):
        load_rubric(path)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(RubricError, match="не читается"):
        load_rubric(tmp_path / "none.json")
