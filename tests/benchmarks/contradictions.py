"""Quality of the rule that finds prices, sizes and years that contradict the listing or facts."""

from tests.benchmarks.measures import Measure
from tests.support.contradiction_set import (
    ContradictionFigures,
    list_contradiction_sets,
    load_contradiction_set,
    measure_contradictions,
)


async def measure_contradiction_rule(_url: str) -> list[Measure]:
    """Measure each file of labelled chats; needs no database."""
    sets = {
        path.stem: measure_contradictions(load_contradiction_set(path))
        for path in list_contradiction_sets()
    }
    return [row for name, figures in sets.items() for row in _make_rows(name, figures)]


def _make_rows(name: str, figures: ContradictionFigures) -> list[Measure]:
    return [
        Measure(
            f"{name}: planted contradictions found, n={figures.planted}",
            f"{1 - len(figures.missed) / figures.planted:.1%}",
            "at least 95 %",
        ),
        Measure(
            f"{name}: false ones in other chats, n={figures.look_alikes}",
            f"{len(figures.false) / figures.look_alikes:.1%}",
            "at most 2 %",
        ),
    ]
