"""Agreement of two graders: exact agreement, weighted kappa and Gwet's AC2, with intervals.

Pure statistics over levels 0, 1, … of an ordinal scale. A chat that two graders graded is a cell of
a table: the row is the level of the first, the column that of the second. Several pairs of graders
are pooled as several tables. Each table keeps its own margins, so that a strict and a mild grader
are not mixed.

Sources: J. Cohen, Weighted kappa, Psychological Bulletin 70 (1968) 213-220; A. J. Conger,
Integration and generalization of kappas for multiple raters, Psychological Bulletin 88 (1980)
322-328; K. L. Gwet, Handbook of Inter-Rater Reliability, 4th ed. (2014), ch. 4; D. B. Rubin, The
Bayesian bootstrap, Annals of Statistics 9 (1981) 130-134; P. Walley, Inferences from multinomial
data, Journal of the Royal Statistical Society B 58 (1996) 3-57.
"""

import random
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

RESAMPLES = 1000
PSEUDO_CHATS = 2
SMALLEST_FOR_INTERVAL = 10
"""Of fewer chats an interval covers most of the scale."""
SMALLEST_FOR_TRUST = 50
"""Below it a kappa of 0.6 on three levels is less sure than 0.22 either way."""

Table = Sequence[Sequence[float]]
"""The number of chats, or their weight, by row and column."""


class Cell(NamedTuple):
    """The levels that two graders gave one chat. ``pair``: the number of the pair."""

    pair: int
    row: int
    column: int


Chat = tuple[Cell, ...]
"""Everything that is compared in one chat: one cell for each pair of graders that both graded it.
"""


class Interval(NamedTuple):
    """A nominal 95 % interval."""

    low: float
    high: float


class Figures(NamedTuple):
    """The figures of one or several tables. A figure is None if it cannot be computed."""

    exact: float | None
    kappa: float | None
    ac2: float | None


@dataclass(frozen=True)
class Agreement:
    """Agreement of two graders, or of pooled pairs of them, on one scale.

    ``n``: comparisons. ``chats``: compared chats; fewer than ``n`` only if pairs are pooled.
    ``table``: the sum of all pairs. A figure is None if it cannot be computed.
    """

    n: int
    chats: int
    table: Table
    exact: float | None
    exact_interval: Interval | None
    kappa: float | None
    kappa_interval: Interval | None
    ac2: float | None
    ac2_interval: Interval | None


def measure_agreement(
    chats: Sequence[Chat], *, levels: int, seed: int, resamples: int = RESAMPLES
) -> Agreement:
    """Return all figures for these chats.

    Chats without a cell are left out. The same seed gives the same intervals.
    """
    compared = [chat for chat in chats if chat]
    tables = tabulate(((chat, 1) for chat in compared), levels)
    figures = compute_figures(tables)
    intervals = _bootstrap(compared, levels, seed, resamples)
    exact, kappa, ac2 = (
        None if figure is None else interval
        for figure, interval in zip(figures, intervals, strict=True)
    )
    return Agreement(
        n=sum(len(chat) for chat in compared),
        chats=len(compared),
        table=_sum(tables, levels),
        exact=figures.exact,
        exact_interval=exact,
        kappa=figures.kappa,
        kappa_interval=kappa,
        ac2=figures.ac2,
        ac2_interval=ac2,
    )


def tabulate(chats: Iterable[tuple[Chat, float]], levels: int) -> list[list[list[float]]]:
    """Return the table of each pair of graders; each chat counts with the given weight."""
    tables: dict[int, list[list[float]]] = {}
    for chat, weight in chats:
        for pair, row, column in chat:
            table = tables.get(pair)
            if table is None:
                table = tables[pair] = [[0] * levels for _ in range(levels)]
            table[row][column] += weight
    return list(tables.values())


def compute_figures(tables: Sequence[Table]) -> Figures:
    """Return the three figures of these tables."""
    return Figures(exact_agreement(tables), weighted_kappa(tables), gwet_ac2(tables))


def exact_agreement(tables: Sequence[Table]) -> float | None:
    """Return the share of comparisons with equal levels; None if nothing was compared."""
    total = sum(sum(map(sum, table)) for table in tables)
    equal = sum(line[level] for table in tables for level, line in enumerate(table))
    return equal / total if total else None


def weighted_kappa(tables: Sequence[Table]) -> float | None:
    """Quadratic weighted kappa (Cohen 1968): 1 - D/E, pooled over the pairs of graders.

    With k levels, d(i,j) = ((i-j)/(k-1))², for each pair a table n(i,j) of n chats with row sums r
    and column sums c: D = Σ d(i,j)·n(i,j), E = Σ d(i,j)·r(i)·c(j)/n, both summed over the pairs.
    For one pair this is Cohen's kappa. For several raters who all graded all chats it is Conger's
    (1980), whose chance agreement is the mean of the pairs'. Return None if E is 0: every grader
    used one level only, and agreement by chance cannot be separated from real agreement.
    """
    observed, expected = 0.0, 0.0
    for table in tables:
        rows, columns = _margins(table)
        by_chance = 0.0
        for i, line in enumerate(table):
            for j, count in enumerate(line):
                # Whole numbers, as (k-1)² stands in both: the sum is the same to the last bit
                # whichever grader is named first.
                distance = (i - j) ** 2
                observed += distance * count
                by_chance += distance * rows[i] * columns[j]
        expected += by_chance / (sum(rows) or 1)
    return 1 - observed / expected if expected else None


def gwet_ac2(tables: Sequence[Table]) -> float | None:
    """Gwet's AC2 with quadratic weights (Gwet 2014): (p - e) / (1 - e).

    A rare level distorts kappa, but not AC2. With k levels, w(i,j) = 1 - ((i-j)/(k-1))², T = Σ
    w(i,j): p = the mean w of all comparisons, π(i) = the share of level i in both margins together,
    e = T/(k(k-1)) · Σ π(i)(1-π(i)). For several raters who all graded all chats this is Gwet's AC2
    for many raters. Return None if nothing was compared.
    """
    if not tables:
        return None
    levels = len(tables[0])
    summed = _sum(tables, levels)
    rows, columns = _margins(summed)
    total = sum(rows)
    if not total:
        return None
    cells = [(i, j) for i in range(levels) for j in range(levels)]
    farthest = (levels - 1) ** 2
    agreed = 1 - sum((i - j) ** 2 * summed[i][j] for i, j in cells) / (farthest * total)
    weights = levels**2 - sum((i - j) ** 2 for i, j in cells) / farthest
    shares = [(row + column) / (2 * total) for row, column in zip(rows, columns, strict=True)]
    by_chance = weights / (levels * (levels - 1)) * sum(share * (1 - share) for share in shares)
    return (agreed - by_chance) / (1 - by_chance)


def _bootstrap(
    chats: Sequence[Chat], levels: int, seed: int, resamples: int
) -> tuple[Interval | None, ...]:
    """Return the intervals of the three figures; None for a figure that cannot be computed.

    A Bayesian bootstrap (Rubin 1981): each resample gives every chat a random weight, the same for
    all its cells. It contains no grades that the sample does not, and would return 1.00-1.00 for 20
    equal pairs. So pseudo-chats are added: with any cell for the low end, with equal levels for the
    high end. This is the imprecise Dirichlet model (Walley 1996) with s = 2 and two priors.

    ``ARGS=agreement make bench`` measures the coverage. Return None for too few chats.
    """
    if len(chats) < SMALLEST_FOR_INTERVAL:
        return None, None, None
    rng = random.Random(seed)  # noqa: S311 - statistics, not secrets
    lows, highs = zip(*_resample(Counter(chats), levels, rng, resamples), strict=True)
    return tuple(map(_make_interval, zip(*lows, strict=True), zip(*highs, strict=True)))


def _resample(
    chats: Counter[Chat], levels: int, rng: random.Random, resamples: int
) -> Iterator[tuple[Figures, Figures]]:
    """Yield the figures with pseudo-chats of any cell, and with those of equal levels."""
    equal = [(level, level) for level in range(levels)]
    every = [(row, column) for row in range(levels) for column in range(levels)]
    counted = tabulate(chats.items(), levels)
    # A pseudo-chat has as many comparisons as the mean chat.
    pairs = [sum(map(sum, table)) / chats.total() for table in counted]
    for _ in range(resamples):
        weighted = ((chat, rng.gammavariate(count, 1)) for chat, count in chats.items())
        tables = tabulate(weighted, levels)
        low, high = (_add_pseudo_chats(tables, pairs, cells, rng) for cells in (every, equal))
        yield compute_figures(low), compute_figures(high)


def _add_pseudo_chats(
    tables: Sequence[Table],
    pairs: Sequence[float],
    cells: Sequence[tuple[int, int]],
    rng: random.Random,
) -> Sequence[Table]:
    """Return the tables with two chats spread over these cells with random weights."""
    added = [[list(line) for line in table] for table in tables]
    for row, column in cells:
        weight = rng.gammavariate(PSEUDO_CHATS / len(cells), 1)
        for table, pair in zip(added, pairs, strict=True):
            table[row][column] += weight * pair
    return added


def _make_interval(lows: Sequence[float | None], highs: Sequence[float | None]) -> Interval | None:
    """Return an interval between the low quantile of the first and the high one of the second."""
    low = [value for value in lows if value is not None]
    high = [value for value in highs if value is not None]
    return Interval(_fortieths(low)[0], _fortieths(high)[-1]) if low and high else None


def _fortieths(values: Sequence[float]) -> list[float]:
    return statistics.quantiles(values, n=40, method="inclusive")


def _sum(tables: Sequence[Table], levels: int) -> list[list[float]]:
    return [[sum(table[i][j] for table in tables) for j in range(levels)] for i in range(levels)]


def _margins(table: Table) -> tuple[list[float], list[float]]:
    return [sum(line) for line in table], [sum(column) for column in zip(*table, strict=True)]
