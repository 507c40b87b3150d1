"""How steady a model is."""

import pytest

from app.domain.steadiness import are_suspicious, is_repeated, wilson_interval

FAULTLESS, FAULTY = "y y na y 0", "y n na y 0"


@pytest.mark.parametrize(
    ("vector", "equal", "reports", "expected"),
    [
        (FAULTY, 9, 9, False),
        (FAULTY, 10, 10, True),
        (FAULTY, 5, 10, False),
        (FAULTY, 6, 10, True),
        (FAULTY, 50, 100, False),
        (FAULTY, 51, 100, True),
        (FAULTLESS, 29, 29, False),
        (FAULTLESS, 30, 30, True),
        (FAULTLESS, 28, 30, True),
        (FAULTLESS, 27, 30, False),
        (FAULTLESS, 90, 100, False),
        (FAULTLESS, 91, 100, True),
        ("na na na 0", 60, 100, False),
    ],
)
def test_equal_answers_of_many_reports_are_suspicious(
    vector: str, equal: int, reports: int, *, expected: bool
) -> None:
    assert are_suspicious(vector, equal, reports) is expected


def test_share_of_the_chats_is_graded_twice() -> None:
    chosen = [chat for chat in range(10_000) if is_repeated(chat, 7, 0.05)]
    assert 400 < len(chosen) < 600
    assert chosen == [chat for chat in range(10_000) if is_repeated(chat, 7, 0.05)]
    assert chosen != [chat for chat in range(10_000) if is_repeated(chat, 8, 0.05)]
    assert set(chosen) < {chat for chat in range(10_000) if is_repeated(chat, 7, 0.2)}


@pytest.mark.parametrize(("share", "expected"), [(0.0, False), (1.0, True)])
def test_none_or_all_chats_are_graded_twice(share: float, *, expected: bool) -> None:
    assert {is_repeated(chat, 7, share) for chat in range(1_000)} == {expected}


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [
        (0, 10, 0.0, 0.27754),
        (10, 10, 0.72246, 1.0),
        (1, 20, 0.008881, 0.236130),
        (15, 148, 0.062386, 0.160477),
        (81, 263, 0.255282, 0.366230),
    ],
)
def test_wilson_interval(count: int, of: int, low: float, high: float) -> None:
    """The two last rows are examples of Newcombe, 1998, table I."""
    assert wilson_interval(count, of) == pytest.approx((low, high), abs=1e-4)


def test_empty_sample_has_no_interval() -> None:
    assert wilson_interval(0, 0) is None
