"""The pauses between the tries of a delivery, and its final failure."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.delivery_retry import find_pause, has_expired, is_final_refusal

NOW = datetime(2026, 11, 22, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tries", "minutes"), [(1, 5), (2, 10), (3, 20), (7, 320), (8, 360), (9, 360), (10_000, 360)]
)
def test_pauses_double_up_to_six_hours(tries: int, minutes: int) -> None:
    assert find_pause(tries) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("seconds", "tries", "expired"),
    [
        (3 * 86_400 - 1, 50, False),
        (3 * 86_400, 50, True),
        (3 * 86_400, 4, True),
        (3 * 86_400, 3, False),
        (40 * 86_400, 3, False),
    ],
)
def test_delivery_fails_after_three_days_and_four_tries(
    seconds: int, tries: int, expired: bool
) -> None:
    assert has_expired(NOW - timedelta(seconds=seconds), NOW, tries) is expired


def test_delivery_without_a_try_has_not_expired() -> None:
    assert not has_expired(None, NOW, 4)


def test_third_rejection_of_the_recipient_is_final() -> None:
    assert [is_final_refusal(refusals) for refusals in (1, 2, 3, 4)] == [False, False, True, True]
