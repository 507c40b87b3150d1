"""Agreement: the figures of well-known packages, what must hold of any figures, and the
coverage of their intervals.
"""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.grading.agreement import (
    SMALLEST_FOR_INTERVAL,
    Cell,
    Chat,
    Table,
    gwet_ac2,
    measure_agreement,
    weighted_kappa,
)
from tests.support.simulated_agreement import (
    MARGINS,
    make_chance_table,
    make_latent_table,
    measure_coverage,
)

# kappa: scikit-learn 1.9.1, cohen_kappa_score(labels=range(k), weights="quadratic");
# AC2: irrCAC 0.4.4, CAC(ratings, weights="quadratic", categories=range(k), digits=10).gwet().
KNOWN: list[tuple[Table, float | None, float]] = [
    ([[10, 2, 0], [3, 12, 1], [0, 1, 11]], 0.8571428571428572, 0.8704902868),
    ([[40, 3, 1], [2, 2, 0], [1, 0, 1]], 0.41229656419529837, 0.9152100183),
    ([[1, 2, 9], [2, 3, 2], [8, 1, 2]], -0.5912305516265912, -0.7660910518),
    ([[12, 3, 0], [2, 8, 0], [0, 0, 0]], 0.5901639344262295, 0.9024960998),
    ([[30, 4], [6, 10]], 0.5247148288973384, 0.6551724138),
    ([[20, 0, 0], [0, 0, 0], [0, 0, 0]], None, 1.0),  # scikit-learn: nan
]
# Forty chats graded by all of three raters: irrCAC 0.4.4, conger() and gwet() as above.
THREE_RATERS = (
    "110 100 122 000 001 020 101 212 100 120 222 110 020 122 211 211 111 101 111 112 "
    "111 100 222 212 001 001 222 011 100 000 000 000 222 222 110 000 010 101 212 222"
)
CONGER, GWET = 0.554973822, 0.5797280593
# irrCAC 0.4.4 on these 160 chats: analytic 95 % intervals of conger() and gwet().
LARGE: Table = [[50, 10, 2], [12, 40, 6], [1, 8, 31]]
CONGER_INTERVAL, GWET_INTERVAL = (0.668857, 0.844821), (0.706618, 0.858526)

LOWEST = -3
"""AC2 of opposite grades may fall below -1: for k levels its e is less than (k-1)/k, so that it
stays above -(k-1).
"""

tables = st.integers(2, 4).flatmap(
    lambda k: st.lists(
        st.lists(st.integers(0, 30), min_size=k, max_size=k), min_size=k, max_size=k
    ).filter(lambda table: sum(map(sum, table)) > 0)
)


def chats_of(table: Table, *, pair: int = 0) -> list[Chat]:
    return [
        (Cell(pair, i, j),)
        for i, line in enumerate(table)
        for j, count in enumerate(line)
        for _ in range(int(count))
    ]


@pytest.mark.parametrize(("table", "kappa", "ac2"), KNOWN)
def test_figures_are_those_of_well_known_packages(
    table: Table, kappa: float | None, ac2: float
) -> None:
    assert weighted_kappa([table]) == (None if kappa is None else pytest.approx(kappa, abs=1e-12))
    assert gwet_ac2([table]) == pytest.approx(ac2, abs=1e-9)


def test_pooled_pairs_of_three_raters_are_congers_kappa_and_gwets_ac2_for_many() -> None:
    chats = [
        tuple(
            Cell(pair, int(levels[i]), int(levels[j]))
            for pair, (i, j) in enumerate(((0, 1), (0, 2), (1, 2)))
        )
        for levels in THREE_RATERS.split()
    ]
    found = measure_agreement(chats, levels=3, seed=1, resamples=50)
    assert (found.n, found.chats) == (120, 40)
    assert found.kappa == pytest.approx(CONGER, abs=1e-9)
    assert found.ac2 == pytest.approx(GWET, abs=1e-9)


def test_pooling_keeps_each_pairs_own_margins() -> None:
    """A strict and a mild grader who agree with the model by chance alone do so together, whatever
    their sum looks like.
    """
    strict, mild = [[0, 0, 0], [0, 0, 0], [10, 10, 10]], [[10, 10, 10], [0, 0, 0], [0, 0, 0]]
    assert weighted_kappa([strict]) == weighted_kappa([mild]) == 0
    assert weighted_kappa([strict, mild]) == 0


@given(tables)
def test_who_is_first_does_not_matter_nor_which_end_is_up(table: Table) -> None:
    """Who is first not to the last bit: figures are printed rounded, and half of a hundredth may go
    either way.
    """
    turned = [list(column) for column in zip(*table, strict=True)]
    upside_down = [line[::-1] for line in table[::-1]]
    kappa, ac2 = weighted_kappa([table]), gwet_ac2([table])
    assert (weighted_kappa([turned]), gwet_ac2([turned])) == (kappa, ac2)
    assert gwet_ac2([upside_down]) == pytest.approx(ac2)
    assert weighted_kappa([upside_down]) == (None if kappa is None else pytest.approx(kappa))


@given(tables)
def test_figures_are_in_their_range_and_never_nan(table: Table) -> None:
    kappa, ac2 = weighted_kappa([table]), gwet_ac2([table])
    assert kappa is None or -1 - 1e-9 <= kappa <= 1
    assert ac2 is not None
    assert LOWEST <= ac2 <= 1
    constant = (
        sum(any(line) for line in table) == sum(any(line) for line in zip(*table, strict=True)) == 1
    )
    assert (kappa is None) is (constant and any(table[level][level] for level in range(len(table))))


@given(tables)
def test_perfect_agreement_is_one_and_less_is_less(table: Table) -> None:
    perfect = [
        [count if i == j else 0 for j, count in enumerate(line)] for i, line in enumerate(table)
    ]
    if sum(map(sum, perfect)):
        assert gwet_ac2([perfect]) == 1
        assert weighted_kappa([perfect]) in (None, 1)
    if perfect != table:
        assert (gwet_ac2([table]) or 0) < 1
        assert (weighted_kappa([table]) or 0) < 1


@given(tables, st.integers(2, 4))
def test_the_same_pair_twice_says_the_same(table: Table, times: int) -> None:
    kappa = weighted_kappa([table])
    assert weighted_kappa([table] * times) == (None if kappa is None else pytest.approx(kappa))
    assert gwet_ac2([table] * times) == pytest.approx(gwet_ac2([table]))


def test_the_bootstraps_intervals_are_near_the_analytic_ones() -> None:
    found = measure_agreement(chats_of(LARGE), levels=3, seed=1)
    assert found.kappa_interval == pytest.approx(CONGER_INTERVAL, abs=0.03)
    assert found.ac2_interval == pytest.approx(GWET_INTERVAL, abs=0.03)
    assert found == measure_agreement(chats_of(LARGE), levels=3, seed=1), (
        "the same seed, the same report"
    )


def test_an_interval_holds_the_figure_and_narrows_with_more_chats() -> None:
    some, many = (
        measure_agreement(
            chats_of([[times * n for n in line] for line in LARGE]), levels=3, seed=2, resamples=300
        )
        for times in (1, 4)
    )
    for found in (some, many):
        for value, interval in (
            (found.exact, found.exact_interval),
            (found.kappa, found.kappa_interval),
            (found.ac2, found.ac2_interval),
        ):
            assert interval is not None
            assert value is not None
            assert interval.low < value < interval.high
    assert some.ac2_interval is not None
    assert many.ac2_interval is not None
    assert many.ac2_interval.high - many.ac2_interval.low < 0.6 * (
        some.ac2_interval.high - some.ac2_interval.low
    )


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=SMALLEST_FOR_INTERVAL, max_size=60
    ),
    st.integers(0, 99),
)
def test_intervals_are_ordered_and_in_range(pairs: list[tuple[int, int]], seed: int) -> None:
    found = measure_agreement(
        [(Cell(0, *pair),) for pair in pairs], levels=3, seed=seed, resamples=60
    )
    assert found.n == found.chats == len(pairs)
    assert found.ac2_interval is not None
    assert found.exact_interval is not None
    for interval in (found.exact_interval, found.kappa_interval, found.ac2_interval):
        assert interval is None or LOWEST <= interval.low <= interval.high <= 1


def test_what_is_said_of_one_chat_is_drawn_together() -> None:
    """The same chat compared three times is no more certain than once."""
    once = chats_of([[12, 2, 1], [2, 9, 2], [0, 3, 9]])
    thrice = [tuple(Cell(pair, *cell[1:]) for pair in range(3) for cell in chat) for chat in once]
    one, three = (
        measure_agreement(chats, levels=3, seed=5, resamples=200) for chats in (once, thrice)
    )
    assert three.kappa_interval == pytest.approx(one.kappa_interval)
    assert (three.n, three.chats) == (3 * one.n, one.chats)


def test_too_few_chats_have_no_interval() -> None:
    nothing = measure_agreement([(), ()], levels=3, seed=1)
    assert (nothing.n, nothing.exact, nothing.kappa, nothing.ac2) == (0, None, None, None)
    assert (nothing.exact_interval, nothing.kappa_interval, nothing.ac2_interval) == (None,) * 3
    nine = measure_agreement(chats_of([[5, 0, 0], [0, 2, 0], [0, 0, 2]]), levels=3, seed=1)
    assert (nine.exact, nine.kappa, nine.ac2) == (1, 1, 1)
    assert (nine.exact_interval, nine.kappa_interval, nine.ac2_interval) == (None,) * 3


def test_one_level_only_has_no_kappa() -> None:
    same = measure_agreement(chats_of([[40, 0, 0], [0, 0, 0], [0, 0, 0]]), levels=3, seed=1)
    assert (same.exact, same.kappa, same.kappa_interval, same.ac2) == (1, None, None, 1)
    assert same.ac2_interval is not None
    assert same.ac2_interval.low < 0.95
    rare = measure_agreement(chats_of([[39, 0, 0], [0, 1, 0], [0, 0, 0]]), levels=3, seed=1)
    assert rare.kappa == 1
    assert rare.kappa_interval is not None
    assert rare.kappa_interval.low < 0.3, "one chat shows nearly nothing"


@pytest.mark.parametrize(
    "table",
    [
        [[7, 0, 0], [0, 7, 0], [0, 0, 6]],
        [[1, 0, 0], [0, 1, 0], [0, 0, 18]],
        [[0, 0, 0], [0, 1, 0], [0, 0, 19]],
        [[10, 0], [0, 10]],
    ],
)
def test_twenty_equal_pairs_do_not_prove_perfect_agreement(table: Table) -> None:
    found = measure_agreement(chats_of(table), levels=len(table), seed=1)
    assert (found.exact, found.kappa, found.ac2) == (1, 1, 1)
    for interval in (found.exact_interval, found.kappa_interval, found.ac2_interval):
        assert interval is not None
        assert interval.low < 0.9
        assert interval.high == 1


@pytest.mark.parametrize("margins", MARGINS)
@pytest.mark.parametrize(("kappa", "n"), [(0.3, 20), (0.95, 20)])
@pytest.mark.parametrize("make_table", [make_chance_table, make_latent_table])
def test_intervals_contain_the_true_figure(
    make_table: Callable[[Sequence[float], float], Table], margins: str, kappa: float, n: int
) -> None:
    """95 % is nominal. ``ARGS=agreement make bench`` measures more samples and more tables."""
    table = make_table(MARGINS[margins], kappa)
    for name, found in measure_coverage(table, n, samples=80, resamples=150, seed=1).items():
        assert found.samples > 60, name
        assert found.share >= 0.93, name
        assert found.flat == 0, name
