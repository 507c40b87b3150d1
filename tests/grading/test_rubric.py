"""The built-in rubric, and what a company's own may not be."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.domain.criteria import Criterion
from app.grading.rubric import BUILT_IN, RubricError, load_rubric
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
    assert {
        criterion.value: entry.check_ids for criterion, entry in rubric.criteria.items()
    } == CHECKS
    assert list(rubric.criteria) == list(Criterion)
    assert set(rubric.weights.values()) == {1}


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
