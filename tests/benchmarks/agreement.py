"""Coverage of the intervals of agreement and of the corrected share, and their cost."""

import time
from collections.abc import Iterator

from app.grading.agreement import RESAMPLES as ALL_RESAMPLES
from tests.benchmarks.measures import Measure
from tests.support.simulated_agreement import (
    FIGURES,
    MARGINS,
    Coverage,
    make_chance_table,
    make_latent_table,
    measure_coverage,
)
from tests.support.simulated_weeks import GRADERS, measure_weeks

KAPPAS = (0.3, 0.6, 0.8, 0.95)
CHATS = (20, 50, 100, 300)
SAMPLES = 250
"""Samples of each kind of graders: half of a row."""
RESAMPLES = 300
LABELS = (30, 60, 150)
WEEKS = 1000


async def measure_agreement_coverage(_url: str) -> list[Measure]:
    """Measure the coverage of nominal 95 % by margins, kappa and n; needs no database."""
    return [*_measure_coverage(), *_measure_corrected_shares(), _measure_cost()]


def _measure_coverage() -> Iterator[Measure]:
    """Yield a row for each n, half its samples of graders who guess and half of those who err."""
    for name, margins in MARGINS.items():
        for kappa in KAPPAS:
            tables = make_chance_table(margins, kappa), make_latent_table(margins, kappa)
            for n in CHATS:
                halves = [
                    measure_coverage(table, n, samples=SAMPLES, resamples=RESAMPLES, seed=n)
                    for table in tables
                ]
                yield Measure(
                    f"{name} margins, kappa {kappa}, n = {n}",
                    ", ".join(f"{figure} {_join_shares(figure, halves):.1%}" for figure in FIGURES),
                    "at least 93 %",
                )


def _measure_corrected_shares() -> Iterator[Measure]:
    """Yield a row for each simulated model and number of labels, with 60 reports a week."""
    for name, grader in GRADERS.items():
        for labels in LABELS:
            covered = measure_weeks(
                grader, weeks=WEEKS, labels=labels, reports=60, resamples=RESAMPLES
            )
            yield Measure(
                f"corrected share, model: {name}, {labels} labels, {WEEKS} weeks",
                f"{covered:.1%}",
                "at least 93 %",
            )


def _join_shares(figure: str, halves: list[dict[str, Coverage]]) -> float:
    return sum(half[figure].covered for half in halves) / sum(
        half[figure].samples for half in halves
    )


def _measure_cost() -> Measure:
    """Measure the three intervals of one table of 100 chats with all resamples."""
    table = make_latent_table(MARGINS["skewed"], 0.6)
    start = time.process_time()
    measure_coverage(table, 100, samples=5, resamples=ALL_RESAMPLES, seed=1)
    milliseconds = (time.process_time() - start) / 5 * 1000
    return Measure("three intervals of 100 chats", f"{milliseconds:.0f} ms", "CPU time")
