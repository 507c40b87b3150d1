"""When a conversation is still going on."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.config import load_settings
from app.domain.settling import CLOCK_TOLERANCE, SettlingRule
from app.domain.working_hours import ROUND_THE_CLOCK, WorkingHours
from app.errors import SettingsError

MOSCOW = ZoneInfo("Europe/Moscow")
MONDAY = datetime(2026, 11, 23, 9, 10, tzinfo=MOSCOW)
SATURDAY_EVENING = datetime(2026, 11, 21, 19, 0, tzinfo=MOSCOW)


def test_chat_settles_after_half_an_hour_by_default() -> None:
    noon = MONDAY.replace(hour=12)
    rule = load_settings(_env_file=None).settling
    assert rule.find_span(noon) == (noon - timedelta(minutes=30), noon + CLOCK_TOLERANCE)


@pytest.mark.parametrize(
    ("clock", "settles"),
    [("2026-11-21T23:45", True), ("2026-11-22T09:29", True), ("2026-11-22T09:30", False)],
)
def test_night_message_settles_in_the_morning_by_default(clock: str, *, settles: bool) -> None:
    sent_at = datetime(2026, 11, 21, 23, 10, tzinfo=MOSCOW)
    now = datetime.fromisoformat(clock).replace(tzinfo=MOSCOW)
    span = load_settings(_env_file=None).settling.find_span(now)
    assert span is not None
    assert (span.after < sent_at) is settles


def test_hours_that_are_set_count_for_settling_and_answer_times() -> None:
    settings = load_settings(_env_file=None, working_hours="круглосуточно")
    assert settings.settling.hours == settings.answer_hours == ROUND_THE_CLOCK
    settings = load_settings(_env_file=None, working_hours="Пн-Пт 09:00-18:00")
    assert settings.settling.hours == settings.answer_hours == settings.working_hours
    assert load_settings(_env_file=None).answer_hours == ROUND_THE_CLOCK


@pytest.mark.parametrize(("minutes_later", "settles"), [(0, True), (19, True), (20, False)])
def test_message_of_saturday_evening_settles_on_monday(minutes_later: int, settles: bool) -> None:
    """On Monday at 9:10 ten minutes of working time have passed."""
    rule = SettlingRule(
        timedelta(minutes=30), WorkingHours.parse("Пн-Пт 09:00-18:00, Сб 10:00-16:00"), MOSCOW
    )
    span = rule.find_span(MONDAY + timedelta(minutes=minutes_later))
    assert span is not None
    assert (span.after < SATURDAY_EVENING) is settles


def test_zero_disables_the_rule() -> None:
    assert load_settings(_env_file=None, settle_minutes=0).settling.find_span(MONDAY) is None


@pytest.mark.parametrize("minutes", ["-1", "1441", "half"])
def test_invalid_settings_are_refused(minutes: str) -> None:
    with pytest.raises(SettingsError, match="SETTLE_MINUTES"):
        load_settings(_env_file=None, settle_minutes=minutes)
