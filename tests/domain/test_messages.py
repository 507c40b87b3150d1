"""Periods in which a message can be deleted."""

from datetime import timedelta

from app.domain.messages import DELETABLE_FOR, DELETION_GRACE, FINAL_AFTER


def test_avito_allows_a_deletion_within_an_hour() -> None:
    assert timedelta(hours=1) == DELETABLE_FOR


def test_a_message_is_final_five_minutes_after_the_last_deletion() -> None:
    assert timedelta(minutes=5) == DELETION_GRACE
    assert timedelta(minutes=65) == FINAL_AFTER
