"""The rule on the labelled chats, as ``make bench`` measures it."""

from pathlib import Path

import pytest

from tests.support.contradiction_set import (
    list_contradiction_sets,
    load_contradiction_set,
    measure_contradictions,
)


@pytest.mark.parametrize("path", list_contradiction_sets(), ids=lambda path: path.stem)
def test_rule_finds_planted_contradictions_and_few_false_ones(path: Path) -> None:
    figures = measure_contradictions(load_contradiction_set(path))
    assert figures.planted >= 60 <= figures.look_alikes
    assert len(figures.missed) <= 0.08 * figures.planted, figures.missed
    assert len(figures.false) + len(figures.extra) <= 0.02 * figures.look_alikes, figures.false
