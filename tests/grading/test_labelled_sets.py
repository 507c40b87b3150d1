"""Masking and the injection detector on texts by authors who did not write the detectors."""

import pytest

from tests.support.labelled_set import LabelledFigures, labelled_figures, load_set


def measure_set(name: str, half: str | None) -> LabelledFigures:
    return labelled_figures(load_set(name, half))


@pytest.mark.parametrize(
    ("name", "half"),
    [("given", None), ("fresh", None), ("unseen", "tuning"), ("unseen", "untouched")],
)
def test_shares_of_faults_are_within_the_goals(name: str, half: str | None) -> None:
    figures = measure_set(name, half)
    assert len(figures.missed) <= 0.08 * figures.data.total(), figures.missed
    assert len(figures.overmasked) <= 0.014 * figures.look_alikes.total(), figures.overmasked
    assert len(figures.unnoticed) <= 0.25 * figures.attacks.total(), figures.unnoticed
    assert len(figures.false_flags) <= 0.01 * figures.innocent, figures.false_flags


def test_unseen_set_is_large_and_has_every_kind() -> None:
    cases = load_set("unseen")
    data = sum(
        text.count("{") for case in cases if case["set"] == "personal" for text in case["texts"]
    )
    counts = {
        name: sum(case["set"] == name for case in cases)
        for name in ("look_alike", "attack", "innocent")
    }
    assert data >= 150
    assert counts["look_alike"] >= 120
    assert counts["attack"] >= 60
    assert counts["innocent"] >= 70
    assert {case["kind"] for case in load_set("given") if case["set"] == "personal"} <= {
        case["kind"] for case in cases
    }
