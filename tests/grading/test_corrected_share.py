"""The corrected share of bad chats: the estimate of a well-known package, and its coverage."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.grading.corrected_share import SMALLEST, LabelCounts, correct_share
from tests.support.simulated_weeks import GRADERS, measure_weeks

# ppi-python 0.2.3: ppi_mean_pointestimate and ppi_mean_ci(alpha=0.05), both with lam=1. The package
# itself needs numba, pandas and statsmodels (650 MB), so it is no requirement of the tests.
ORACLE = [
    ((9, 47), (3, 1, 2, 24), 0.2248227),
    ((60, 400), (10, 4, 6, 80), 0.17),
    ((900, 6000), (20, 10, 5, 265), 0.13333333),
    ((5, 50), (2, 0, 0, 28), 0.1),
    ((20, 100), (0, 3, 1, 26), 0.13333333),
]
LARGE = ((9_000, 60_000), (200, 100, 50, 2650), (0.12486, 0.14181))


@pytest.mark.parametrize(("graded", "labels", "share"), ORACLE)
def test_estimate_is_that_of_the_package(
    graded: tuple[int, int], labels: tuple[int, int, int, int], share: float
) -> None:
    found = correct_share(*graded, LabelCounts(*labels))
    assert found.share == pytest.approx(share, abs=1e-7)
    assert found.low < found.share < found.high


def test_interval_of_many_labels_is_that_of_the_package() -> None:
    graded, labels, interval = LARGE
    found = correct_share(*graded, LabelCounts(*labels))
    assert (found.low, found.high) == pytest.approx(interval, abs=0.002)
    assert found == correct_share(*graded, LabelCounts(*labels)), "the same figures every time"


def test_thirty_labels_without_a_difference_do_not_prove_a_faultless_model() -> None:
    found = correct_share(0, 50, LabelCounts(0, 0, 0, 30))
    assert (found.share, found.low) == (0, 0)
    assert found.high > 0.1


@settings(max_examples=50)
@given(
    st.integers(0, 20),
    st.integers(0, 60),
    st.tuples(*[st.integers(0, 30)] * 4).filter(lambda labels: sum(labels) >= SMALLEST),
)
def test_shares_are_ordered_and_from_zero_to_one(
    bad: int, good: int, labels: tuple[int, int, int, int]
) -> None:
    found = correct_share(bad, bad + good + 1, LabelCounts(*labels), resamples=60)
    assert 0 <= found.low <= found.high <= 1
    assert 0 <= found.share <= 1


@pytest.mark.parametrize("grader", GRADERS)
def test_interval_contains_the_true_share_in_a_thousand_weeks(grader: str) -> None:
    covered = measure_weeks(GRADERS[grader], weeks=1000, labels=SMALLEST, reports=60, resamples=80)
    assert covered >= 0.93


def test_uncorrected_share_is_biased() -> None:
    """The simulated graders are worth a correction: without it the share would be wrong."""
    grader = GRADERS["misses half of the bad chats"]
    rng = random.Random(1)  # noqa: S311 - a simulation
    weeks = [grader.draw(600, rng) for _ in range(50)]
    by_model = sum(week.both + week.model_only for week in weeks) / (600 * 50)
    assert by_model < 0.7 * grader.bad_share
