"""Simulated graders with a known agreement, and how often an interval contains it."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist

from app.grading.agreement import Cell, Interval, Table, compute_figures, measure_agreement

MARGINS = {"balanced": (1 / 3, 1 / 3, 1 / 3), "skewed": (0.05, 0.15, 0.8)}
FIGURES = ("exact", "kappa", "AC2")
_NORMAL = NormalDist()
_STEPS = 400


def make_chance_table(margins: Sequence[float], kappa: float) -> Table:
    """Return the table of graders who either see the same level or guess.

    Both have these margins. Their quadratic kappa is ``kappa``.
    """
    return [
        [(1 - kappa) * row * column + kappa * row * (i == j) for j, column in enumerate(margins)]
        for i, row in enumerate(margins)
    ]


def make_latent_table(margins: Sequence[float], kappa: float) -> Table:
    """Return the table of graders who see a quality each with a normal error of their own.

    They mostly differ by one level. The correlation is found by bisection.
    """
    low, high = 0.0, 0.9999
    for _ in range(30):
        middle = (low + high) / 2
        found = compute_figures([_make_normal_table(margins, middle)]).kappa or 0
        low, high = (middle, high) if found < kappa else (low, middle)
    return _make_normal_table(margins, low)


def _make_normal_table(margins: Sequence[float], correlation: float) -> Table:
    """Return the probabilities of a bivariate normal distribution cut at the margins."""
    bounds = [0.0]
    for share in margins:
        bounds.append(min(1.0, bounds[-1] + share))
    cuts = [-9.0, *(_NORMAL.inv_cdf(bound) for bound in bounds[1:-1]), 9.0]
    spread = (1 - correlation**2) ** 0.5
    table = []
    for start, end in pairwise(bounds):
        row = [0.0] * len(margins)
        for step in range(_STEPS):
            share = (end - start) / _STEPS
            mean = correlation * _NORMAL.inv_cdf(start + (step + 0.5) * share)
            below = [_NORMAL.cdf((cut - mean) / spread) for cut in cuts]
            row = [old + share * (b - a) for old, (a, b) in zip(row, pairwise(below), strict=True)]
        table.append(row)
    return table


@dataclass
class Coverage:
    """The number of samples whose figure exists, and of those whose interval contains the truth.

    ``flat``: intervals without width.
    """

    samples: int = 0
    covered: int = 0
    flat: int = 0

    @property
    def share(self) -> float:
        return self.covered / self.samples

    def add(self, truth: float, interval: Interval | None) -> None:
        if interval is not None:
            self.samples += 1
            self.covered += interval.low - 1e-9 <= truth <= interval.high + 1e-9
            self.flat += interval.low == interval.high


def measure_coverage(
    table: Table, n: int, *, samples: int, resamples: int, seed: int
) -> dict[str, Coverage]:
    """Draw samples of ``n`` chats from a table of probabilities and return each figure's coverage.

    A sample of one level only has no kappa.
    """
    truth = compute_figures([table])
    coverage = {name: Coverage() for name in FIGURES}
    for number, chats in enumerate(_draw_samples(table, n, samples, seed)):
        found = measure_agreement(chats, levels=len(table), seed=number, resamples=resamples)
        intervals = found.exact_interval, found.kappa_interval, found.ac2_interval
        for name, value, interval in zip(FIGURES, truth, intervals, strict=True):
            coverage[name].add(value or 0, interval)
    return coverage


def _draw_samples(
    table: Table, n: int, samples: int, seed: int
) -> Iterator[list[tuple[Cell, ...]]]:
    rng = random.Random(seed)  # noqa: S311 - a simulation
    cells = [(Cell(0, row, column),) for row in range(len(table)) for column in range(len(table))]
    for _ in range(samples):
        yield rng.choices(cells, [share for line in table for share in line], k=n)
