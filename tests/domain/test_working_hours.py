"""Working hours: parsing, and the working time within a span."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.config import load_settings
from app.domain.working_hours import ROUND_THE_CLOCK, WorkingHours
from app.errors import SettingsError

MOSCOW, BERLIN = ZoneInfo("Europe/Moscow"), ZoneInfo("Europe/Berlin")
OFFICE = WorkingHours.parse("Пн-Пт 09:00-18:00, Сб 10:00-16:00")
HOUR = 3600


@pytest.mark.parametrize(
    ("text", "start", "end", "hours"),
    [
        ("Пн-Пт 09:00-18:00", "2026-11-16T00:00", "2026-11-23T00:00", 45),
        ("mon-fri 9:00–18:00", "2026-11-16T00:00", "2026-11-23T00:00", 45),
        ("Пн - Пт  09:00 — 18:00 ,Сб 10:00-16:00", "2026-11-16T00:00", "2026-11-23T00:00", 51),
        (
            "Сб-Пн 10:00-12:00",
            "2026-11-16T00:00",
            "2026-11-23T00:00",
            6,
        ),  # over the end of the week
        ("Пн 09:00-13:00, Пн 14:00-18:00", "2026-11-16T12:00", "2026-11-16T15:00", 2),
        (
            "Пн 14:00-18:00, Пн 09:00-15:00",
            "2026-11-16T00:00",
            "2026-11-17T00:00",
            9,
        ),  # the overlap of two shifts counts once
        ("Пн-Вс 00:00-24:00", "2026-11-16T12:00", "2026-11-18T12:00", 48),
        ("Вт 00:00-24:00", "2026-11-16T12:00", "2026-11-18T12:00", 24),
        ("", "2026-11-16T12:00", "2026-11-18T12:00", 48),
        (
            "Пн-Вс 09:00-18:00",
            "2026-11-16T20:00",
            "2026-11-16T10:00",
            0,
        ),  # the end before the start
        ("", "2026-11-16T20:00", "2026-11-16T10:00", 0),
        # Berlin's clocks are put forward on 2026-03-29 at 2:00 and back on 2026-10-25 at 3:00.
        ("Вс 00:00-06:00", "2026-03-28T00:00", "2026-03-30T00:00", 5),
        ("Вс 00:00-06:00", "2026-10-24T00:00", "2026-10-26T00:00", 7),
        ("", "2026-03-29T00:00", "2026-03-30T00:00", 23),
        ("", "2026-10-25T00:00", "2026-10-26T00:00", 25),
        ("Вс 09:00-18:00", "2026-03-29T00:00", "2026-03-30T00:00", 9),
        ("Вс 02:15-03:00", "2026-03-29T00:00", "2026-03-30T00:00", 0),  # the skipped hour
        (
            "Вс 02:30-04:00",
            "2026-10-25T00:00",
            "2026-10-26T00:00",
            2.5,
        ),  # opens the first time that the clock shows it
    ],
)
def test_seconds_within_working_hours(text: str, start: str, end: str, hours: float) -> None:
    first, last = (datetime.fromisoformat(moment).replace(tzinfo=BERLIN) for moment in (start, end))
    assert WorkingHours.parse(text).seconds_between(first, last, BERLIN) == hours * HOUR


def test_working_hours_are_in_the_zone() -> None:
    first, last = datetime(2026, 11, 16, tzinfo=UTC), datetime(2026, 11, 16, 7, tzinfo=UTC)
    assert OFFICE.seconds_between(first, last, MOSCOW) == HOUR
    assert OFFICE.seconds_between(first, last, ZoneInfo("Asia/Vladivostok")) == 7 * HOUR


moments = st.datetimes(datetime(2026, 3, 20), datetime(2026, 11, 5), timezones=st.just(UTC))  # noqa: DTZ001 - the bounds are naive
minutes = st.lists(st.integers(0, 24 * 60), min_size=2, max_size=2, unique=True)
shifts = minutes.map(lambda shift: (min(shift), max(shift)))
weeks = st.lists(st.lists(shifts, max_size=3).map(tuple), min_size=7, max_size=7).map(
    lambda week: WorkingHours(tuple(week))
)


@given(
    weeks,
    st.lists(moments, min_size=3, max_size=3),
    st.sampled_from(["Europe/Berlin", "America/Havana", "Australia/Lord_Howe"]),
)
def test_span_is_the_sum_of_its_parts_and_not_longer_than_itself(
    hours: WorkingHours, points: list[datetime], zone_name: str
) -> None:
    zone = ZoneInfo(zone_name)
    start, middle, end = sorted(point.replace(microsecond=0) for point in points)
    whole = hours.seconds_between(start, end, zone)
    assert whole == hours.seconds_between(start, middle, zone) + hours.seconds_between(
        middle, end, zone
    )
    assert 0 <= whole <= (end - start).total_seconds()


@given(
    weeks.filter(lambda hours: any(hours.week)),
    moments,
    st.integers(1, 24 * 60),
    st.sampled_from(["Europe/Berlin", "America/Havana", "Australia/Lord_Howe"]),
)
def test_start_of_a_span_is_the_latest_one(
    hours: WorkingHours, end: datetime, minutes: int, zone_name: str
) -> None:
    zone, span = ZoneInfo(zone_name), timedelta(minutes=minutes)
    start = hours.find_start(end, span, zone)
    assert hours.seconds_between(start, end, zone) == span.total_seconds()
    later = hours.seconds_between(start + timedelta(seconds=1), end, zone)
    assert later < span.total_seconds()


@pytest.mark.parametrize(
    ("text", "end", "start"),
    [
        ("", "2026-11-16T00:10", "2026-11-15T23:40"),
        ("Пн-Пт 09:00-18:00", "2026-11-16T12:00", "2026-11-16T11:30"),
        ("Пн-Пт 09:00-18:00", "2026-11-16T09:10", "2026-11-13T17:40"),  # over the weekend
        ("Пн-Пт 09:00-18:00", "2026-11-15T12:00", "2026-11-13T17:30"),
        ("Пн-Вс 09:00-13:00, Пн-Вс 14:00-18:00", "2026-11-16T14:10", "2026-11-16T12:40"),
        ("Пн-Вс 09:00-18:00, Пн-Вс 10:00-18:00", "2026-11-16T18:30", "2026-11-16T17:30"),
    ],
)
def test_start_of_half_an_hour_of_working_time(text: str, end: str, start: str) -> None:
    first, last = (datetime.fromisoformat(moment).replace(tzinfo=MOSCOW) for moment in (start, end))
    assert WorkingHours.parse(text).find_start(last, timedelta(minutes=30), MOSCOW) == first


@given(
    moments, moments, st.sampled_from(["Europe/Berlin", "America/Havana", "Australia/Lord_Howe"])
)
def test_hours_without_a_gap_are_24_7(start: datetime, end: datetime, zone_name: str) -> None:
    """Also if the clocks change at midnight."""
    zone = ZoneInfo(zone_name)
    written_out = WorkingHours.parse("Пн-Вс 00:00-12:30, Пн-Вс 12:30-24:00")
    assert written_out.seconds_between(start, end, zone) == ROUND_THE_CLOCK.seconds_between(
        start, end, zone
    )


@pytest.mark.parametrize(
    "text",
    [
        "09:00-18:00",
        "Пн-Пт",
        "Пн-Пт 09:00",
        "Пн-Пт 18:00-09:00",  # over midnight
        "Пн-Пт 09:00-09:00",
        "Пн-Пт 09:60-18:00",
        "Пн-Пт 09:00-24:01",
        "Пн-Пт 9-18",
        "Пн-Пт 09:00-18:00,",
        "Пн-Пт 09:00-18:00; Сб 10:00-16:00",
        "Пн-Xx 09:00-18:00",
        "Будни 09:00-18:00",
    ],
)
def test_invalid_hours_are_reported_in_one_line(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(_env_file=None, working_hours=text)
    assert caught.value.message.startswith("WORKING_HOURS: ")
    assert "\n" not in caught.value.message
    assert "Пн-Пт 09:00-18:00" in caught.value.message, "it shows how to write them"


def test_setting_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKING_HOURS", "Пн-Пт 09:00-18:00, Сб 10:00-16:00")
    assert load_settings(_env_file=None).working_hours == OFFICE
    monkeypatch.setenv("WORKING_HOURS", "")
    assert load_settings(_env_file=None).working_hours is None
