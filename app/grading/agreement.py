"""Agreement of two graders: exact agreement, weighted kappa and Gwet's AC2, with intervals.

Pure statistics over levels 0, 1, … of an ordinal scale. A chat that two graders graded is a cell of
a table: the row is the level of the first, the column that of the second. Several pairs of graders
are pooled as several tables. Each table keeps its own margins, so that a strict and a mild grader
are not mixed.

Sources: J. Cohen, Weighted kappa, Psychological Bulletin 70 (1968) 213-220; A. J. Conger,
Integration and generalization of kappas for multiple raters, Psychological Bulletin 88 (1980)
322-328; K. L. Gwet, Handbook of Inter-Rater Reliability, 4th ed. (2014), ch. 4; B. Efron, R.
Tibshirani, An Introduction to the Bootstrap (1993), ch. 13.
"""

import random
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

RESAMPLES = 2000
SMALLEST_FOR_INTERVAL = 10
"""Of fewer chats the bootstrap sees too few different ones: five that agree would make an interval
without width.
"""
SMALLEST_FOR_TRUST = 50
"""Below it a kappa of 0.6 on three levels is less sure than 0.19 either way."""
_MOST_UNDEFINED = 0.05

Table = list[list[int]]


class Cell(NamedTuple):
    """The levels that two graders gave one chat. ``pair``: the number of the pair."""

    pair: int
    row: int
    column: int


Chat = tuple[Cell, ...]
"""Everything that is compared in one chat: one cell for each pair of graders that both graded it.
"""


class Interval(NamedTuple):
    """The middle 95 % of a bootstrap."""

    low: float
    high: float


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
    summed = _sum(tables, levels)
    n = sum(map(sum, summed))
    kappa_interval, ac2_interval = _bootstrap(compared, levels, seed, resamples)
    return Agreement(
        n=n,
        chats=len(compared),
        table=summed,
        exact=sum(summed[level][level] for level in range(levels)) / n if n else None,
        kappa=weighted_kappa(tables),
        kappa_interval=kappa_interval,
        ac2=gwet_ac2(tables),
        ac2_interval=ac2_interval,
    )


def tabulate(chats: Iterable[tuple[Chat, int]], levels: int) -> list[Table]:
    """Return the table of each pair of graders; each chat counts the given number of times."""
    tables: dict[int, Table] = {}
    for chat, times in chats:
        for pair, row, column in chat:
            table = tables.get(pair)
            if table is None:
                table = tables[pair] = [[0] * levels for _ in range(levels)]
            table[row][column] += times
    return list(tables.values())


def weighted_kappa(tables: Sequence[Table]) -> float | None:
    """Quadratic weighted kappa (Cohen 1968): 1 - D/E, pooled over the pairs of graders.

    With k levels, d(i,j) = ((i-j)/(k-1))², for each pair a table n(i,j) of n chats with row sums r
    and column sums c: D = Σ d(i,j)·n(i,j), E = Σ d(i,j)·r(i)·c(j)/n, both summed over the pairs.
    For one pair this is Cohen's kappa. For several raters who all graded all chats it is Conger's
    (1980), whose chance agreement is the mean of the pairs'. Return None if E is 0: every grader
    used one level only, and agreement by chance cannot be separated from real agreement.
    """
    observed, expected = 0, 0.0
    for table in tables:
        rows, columns = _margins(table)
        by_chance = 0
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
) -> tuple[Interval | None, Interval | None]:
    """Return percentile intervals of kappa and AC2 over resampled chats.

    All cells of a chat are drawn together. Return None for too few chats. The interval of kappa is
    None if it is undefined in more than a twentieth of the resamples: the rest would be a biased
    selection.
    """
    if len(chats) < SMALLEST_FOR_INTERVAL:
        return None, None
    rng = random.Random(seed)  # noqa: S311 - statistics, not secrets
    kappas, coefficients = [], []
    for _ in range(resamples):
        tables = tabulate(Counter(rng.choices(chats, k=len(chats))).items(), levels)
        kappas.append(weighted_kappa(tables))
        coefficients.append(gwet_ac2(tables))
    return _middle(kappas), _middle(coefficients)


def _middle(values: Sequence[float | None]) -> Interval | None:
    defined = [value for value in values if value is not None]
    if len(defined) < (1 - _MOST_UNDEFINED) * len(values):
        return None
    fortieths = statistics.quantiles(defined, n=40, method="inclusive")
    return Interval(fortieths[0], fortieths[-1])


def _sum(tables: Sequence[Table], levels: int) -> Table:
    return [[sum(table[i][j] for table in tables) for j in range(levels)] for i in range(levels)]


def _margins(table: Table) -> tuple[list[int], list[int]]:
    return [sum(line) for line in table], [sum(column) for column in zip(*table, strict=True)]
