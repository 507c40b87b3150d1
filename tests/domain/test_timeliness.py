"""Late answers: the limits of the first and of later ones, in working time."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.timeliness import (
    GRADING_HOURS,
    LateAnswer,
)
from app.domain.working_hours import ROUND_THE_CLOCK, WorkingHours
from tests.support.waits import ANSWER, HOUR, MOSCOW, QUESTION, SATURDAY, THREE_HOURS, list_late


def test_first_answer_is_late_after_an_hour() -> None:
    on_time = [(0, "client", QUESTION), (HOUR, "company", ANSWER)]
    assert list_late(on_time) == []
    late = [(0, "client", QUESTION), (HOUR + 1, "company", ANSWER)]
    assert list_late(late) == [LateAnswer(2, HOUR + 1, HOUR, is_first=True)]


def test_later_answer_is_late_after_three_hours() -> None:
    first = [(0, "client", QUESTION), (60, "company", ANSWER), (100, "client", "А доставка?")]
    assert list_late([*first, (100 + THREE_HOURS, "company", "Да")]) == []
    late = list_late([*first, (101 + THREE_HOURS, "company", "Да")])
    assert late == [LateAnswer(4, THREE_HOURS + 1, THREE_HOURS, is_first=False)]


def test_first_answer_of_a_window_that_does_not_begin_the_episode_is_a_later_one() -> None:
    def answered_after(seconds: int) -> list[LateAnswer]:
        rows = [(0, "client", QUESTION), (seconds, "company", ANSWER)]
        return list_late(rows, is_whole=False)

    assert answered_after(THREE_HOURS) == []
    assert answered_after(THREE_HOURS + 1) == [
        LateAnswer(2, THREE_HOURS + 1, THREE_HOURS, is_first=False)
    ]


def test_every_late_answer_is_listed_oldest_first() -> None:
    rows = [
        (0, "client", QUESTION),
        (HOUR * 2, "company", ANSWER),
        (HOUR * 2, "client", "А доставка?"),
        (HOUR * 6, "company", "Есть"),
    ]
    assert [entry.message_id for entry in list_late(rows)] == [2, 4]


def test_company_that_writes_first_has_an_hour_for_its_first_answer() -> None:
    rows = [
        (0, "company", "Здравствуйте!"),
        (10, "client", QUESTION),
        (11 + HOUR, "company", ANSWER),
    ]
    assert [entry.is_first for entry in list_late(rows)] == [True]


def test_only_working_time_counts() -> None:
    """A question of Saturday evening is answered on Monday, five minutes after the opening."""
    office = WorkingHours.parse("Пн-Пт 09:00-18:00")
    monday = int((datetime(2026, 11, 23, 9, 5, tzinfo=MOSCOW) - SATURDAY).total_seconds())
    on_time = [(0, "client", QUESTION), (monday, "company", ANSWER)]
    assert list_late(on_time, office) == []
    assert [entry.seconds for entry in list_late(on_time, ROUND_THE_CLOCK)] == [monday]
    ten = monday + 55 * 60
    assert list_late([(0, "client", QUESTION), (ten, "company", ANSWER)], office) == []
    late = [(0, "client", QUESTION), (ten + 1, "company", ANSWER)]
    assert [entry.seconds for entry in list_late(late, office)] == [HOUR + 1]


@pytest.mark.parametrize(
    ("clock", "seconds"),
    [("08:59", 0), ("09:00", 0), ("09:01", 60), ("20:59", 43140), ("21:00", 43200)],
)
def test_unset_hours_are_nine_to_nine_every_day(clock: str, seconds: int) -> None:
    for day in range(16, 23):
        start = datetime(2026, 11, day, 0, 0, tzinfo=MOSCOW)
        end = datetime.fromisoformat(f"2026-11-{day}T{clock}:00").replace(tzinfo=MOSCOW)
        assert GRADING_HOURS.seconds_between(start, end.astimezone(UTC), MOSCOW) == seconds
        midnight = start + timedelta(days=1)
        assert GRADING_HOURS.seconds_between(start, midnight, MOSCOW) == 43200
