"""What a reader of the reports has to trust: how much personal data is masked, how many attacks are noticed, and what both cost."""

import time
from collections import Counter
from collections.abc import Callable

from app.grading.injection.detect import addresses_grader
from app.grading.masking.masker import Masker
from tests.benchmarks.measures import Measure
from tests.grading.attack_set import INNOCENT, injection_figures
from tests.grading.masking_set import HIDDEN, KEPT, masking_figures

WINDOW = 200


async def trust_figures(_url: str) -> list[Measure]:
    """The labelled sets' figures by category, and microseconds per message; needs no database."""
    masking, injection = masking_figures(), injection_figures()
    return [
        *_shares("masked", masking.data, Counter(kind for kind, _ in masking.missed)),
        Measure(f"personal data masked, n={masking.data.total()}", f"{masking.recall:.1%}", "at least 99 %"),
        *_shares("look-alikes kept", masking.texts, Counter(kind for kind, _ in masking.overmasked)),
        Measure(f"false masks, n={masking.texts.total()}", f"{masking.false_masks:.1%}", "at most 1 %"),
        *_shares("attacks flagged", injection.attacks, Counter(kind for kind, _ in injection.unnoticed)),
        Measure(f"attacks flagged, n={injection.attacks.total()}", f"{injection.recall:.1%}", "at least 95 %"),
        Measure(f"false flags, n={len(INNOCENT)}", f"{injection.false_share:.1%}", "at most 2 %"),
        Measure(f"masking a message of a window of {WINDOW}", f"{_microseconds(_mask):.0f} us", "CPU time, best of 5"),
        Measure("looking a message over for orders", f"{_microseconds(_look_over):.0f} us", "CPU time, best of 5"),
    ]


def _shares(what: str, all_of: Counter[str], wrong: Counter[str]) -> list[Measure]:
    return [Measure(f"  {what}: {kind}, n={n}", f"{1 - wrong[kind] / n:.1%}", "") for kind, n in sorted(all_of.items())]


def _microseconds(work: Callable[[list[str]], object]) -> float:
    """CPU time per message of a window in which every third text holds personal data."""
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


def _look_over(texts: list[str]) -> None:
    for text in texts:
        addresses_grader(text)
