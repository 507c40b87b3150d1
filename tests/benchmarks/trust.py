"""Quality of masking and of attack detection, and the cost of both."""

import time
from collections import Counter
from collections.abc import Callable

from app.grading.injection.detect import addresses_grader
from app.grading.masking.masker import Masker
from tests.benchmarks.measures import Measure
from tests.support.attack_set import INNOCENT, injection_figures
from tests.support.labelled_set import labelled_figures, load_set
from tests.support.masking_set import HIDDEN, KEPT, masking_figures

WINDOW = 200


async def measure_trust(_url: str) -> list[Measure]:
    """Measure the labelled sets by kind and the microseconds per message; needs no database."""
    masking, injection = masking_figures(), injection_figures()
    return [
        *_measure_labelled("another author's texts", "given", None),
        *_measure_labelled("a further author's texts, not used for tuning", "fresh", None),
        *_measure_labelled("odd texts of other authors", "hard", None),
        *_measure_labelled("half for tuning", "unseen", "tuning"),
        *_measure_labelled("half for measuring", "unseen", "untouched"),
        Measure(
            f"the detectors' own examples: data masked, n={masking.data.total()}",
            f"{masking.recall:.1%}",
            "at least 99 %",
        ),
        Measure(
            f"the detectors' own examples: false masks, n={masking.texts.total()}",
            f"{masking.false_masks:.1%}",
            "at most 1 %",
        ),
        Measure(
            f"the detectors' own examples: attacks flagged, n={injection.attacks.total()}",
            f"{injection.recall:.1%}",
            "at least 95 %",
        ),
        Measure(
            f"the detectors' own examples: false flags, n={len(INNOCENT)}",
            f"{injection.false_share:.1%}",
            "at most 2 %",
        ),
        Measure(
            f"masking a message of a window of {WINDOW}",
            f"{_measure_microseconds(_mask):.0f} us",
            "CPU time, best of 5",
        ),
        Measure(
            "looking a message over for orders",
            f"{_measure_microseconds(_look_for_orders):.0f} us",
            "CPU time, best of 5",
        ),
    ]


def _measure_labelled(source: str, name: str, half: str | None) -> list[Measure]:
    """Return one set's four figures, the first and the third by kind as well."""
    figures = labelled_figures(load_set(name, half))
    missed, unnoticed = (
        Counter(kind for kind, _ in wrong) for wrong in (figures.missed, figures.unnoticed)
    )
    data, looks, attacks = (
        figures.data.total(),
        figures.look_alikes.total(),
        figures.attacks.total(),
    )
    return [
        Measure(
            f"{source}: data masked, n={data}", f"{1 - missed.total() / data:.1%}", "at least 92 %"
        ),
        *_build_share_rows("masked", figures.data, missed),
        Measure(
            f"{source}: look-alikes masked, n={looks}",
            f"{len(figures.overmasked) / looks:.1%}",
            "at most 1 %",
        ),
        Measure(
            f"{source}: attacks flagged, n={attacks}",
            f"{1 - unnoticed.total() / attacks:.1%}",
            "at least 75 %",
        ),
        *_build_share_rows("flagged", figures.attacks, unnoticed),
        Measure(
            f"{source}: false flags, n={figures.innocent}",
            f"{len(figures.false_flags) / figures.innocent:.1%}",
            "at most 1 %",
        ),
    ]


def _build_share_rows(what: str, all_of: Counter[str], wrong: Counter[str]) -> list[Measure]:
    return [
        Measure(f"  {what}: {kind}, n={n}", f"{1 - wrong[kind] / n:.1%}", "")
        for kind, n in sorted(all_of.items())
    ]


def _measure_microseconds(work: Callable[[list[str]], object]) -> float:
    """Return the CPU time per message of a window with personal data in every third text."""
    personal, other = [case.text for case in HIDDEN], [case.text for case in KEPT]
    texts = [personal[place] if place % 3 == 0 else other[place] for place in range(WINDOW)]
    spans = []
    for _ in range(5):
        start = time.process_time()
        work(texts)
        spans.append(time.process_time() - start)
    return min(spans) / WINDOW * 1e6


def _mask(texts: list[str]) -> None:
    masker = Masker(["Марина Петрова"], texts)
    for text in texts:
        masker.mask(text)


def _look_for_orders(texts: list[str]) -> None:
    for text in texts:
        addresses_grader(text)
