"""Answer times: the messages that begin and end a wait, and the working hours in it."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.domain.messages import ChatMessage, Side
from app.domain.waiting import AnswerTimes, answer_times, find_missed_call
from app.domain.working_hours import ROUND_THE_CLOCK, WorkingHours
from tests.support.chats import START

MOSCOW, BERLIN = ZoneInfo("Europe/Moscow"), ZoneInfo("Europe/Berlin")
OFFICE = WorkingHours.parse("Пн-Пт 09:00-18:00, Сб 10:00-16:00")
HOUR = 3600


def timeline(*events: tuple[str, int]) -> list[ChatMessage]:
    """Return messages by (side, minutes after the start). "client missed" is a call."""
    return [
        make_message(number, *event.split(), minutes=minutes)
        for number, (event, minutes) in enumerate(events)
    ]


def make_message(
    number: int, side: str, call_status: str | None = None, *, minutes: int
) -> ChatMessage:
    return ChatMessage(
        number,
        Side(side),
        START + timedelta(minutes=minutes),
        "текст",
        has_text=call_status is None,
        type="text" if call_status is None else "call",
        call_status=call_status,
    )


@pytest.mark.parametrize(
    ("events", "first", "longest", "waiting_since"),
    [
        ([], None, None, None),
        ([("system", 0), ("company", 1)], None, None, None),
        ([("company", 0), ("client", 5)], None, 55, 5),  # an offer answers nothing
        ([("company", 0), ("client", 5), ("company", 7)], 2, 2, None),
        ([("client", 0), ("company", 3)], 3, 3, None),
        (
            [("client", 0), ("client", 9), ("company", 10)],
            10,
            10,
            None,
        ),  # since the first of the run
        (
            [("client", 0), ("system", 1), ("company", 4)],
            4,
            4,
            None,
        ),  # a system message is no answer
        ([("client", 0), ("company", 3), ("company", 30)], 3, 3, None),
        (
            [("client", 0), ("company", 3), ("client", 10), ("client", 12), ("company", 30)],
            3,
            20,
            None,
        ),
        (
            [("client", 0), ("company", 3), ("client", 50)],
            3,
            10,
            50,
        ),  # the wait that goes on is the longest
        ([("client", 0), ("company", 30), ("client", 50), ("system", 55)], 30, 30, 50),
        ([("client", 0), ("client", 1)], None, 60, 0),
        ([("client", 0), ("company", 0)], 0, 0, None),  # within one second
        ([("client", 0), ("company completed", 6)], 6, 6, None),
        ([("client", 0), ("client completed", 6)], 6, 6, None),
        ([("client completed", 6)], None, None, None),
        ([("client", 0), ("company missed", 6)], None, 60, 0),
        ([("client missed", 5)], None, 55, 5),
        ([("client missed", 5), ("company missed", 6), ("company", 8)], 3, 3, None),
        ([("client", 0), ("company", 3), ("client busy", 9)], 3, 3, None),
        ([("client", 0), ("company busy", 3), ("client", 9)], None, 60, 0),
        ([("client", 0), ("bot", 1), ("company", 30)], 30, 30, None),  # a bot does not answer
        ([("client", 0), ("bot", 1)], None, 60, 0),
        ([("client", 0), ("company", 3), ("bot", 4), ("client", 50), ("bot", 51)], 3, 10, 50),
    ],
)
def test_waits_of_a_chat(
    events: list[tuple[str, int]], first: int | None, longest: int | None, waiting_since: int | None
) -> None:
    """Values are in minutes; the current time is one hour after the start."""
    times = answer_times(timeline(*events), ROUND_THE_CLOCK, MOSCOW, START + timedelta(hours=1))
    assert times == AnswerTimes(
        None if first is None else first * 60,
        None if longest is None else longest * 60,
        None if waiting_since is None else START + timedelta(minutes=waiting_since),
    )


@pytest.mark.parametrize(("seconds", "waits"), [(0, True), (1, False)])
def test_a_buyer_waits_for_at_most_a_week_after_the_last_message(seconds: int, waits: bool) -> None:
    """The longest wait still counts from the first unanswered message."""
    messages = timeline(("company", 0), ("client", 10), ("client", 60))
    now = messages[2].sent_at + timedelta(days=7, seconds=seconds)
    times = answer_times(messages, ROUND_THE_CLOCK, MOSCOW, now)
    assert times.waiting_since == (messages[1].sent_at if waits else None)
    assert times.longest_wait_seconds == (7 * 24 * 60 + 50) * 60 + seconds


def test_only_working_hours_count() -> None:
    """From Friday 17:30 to Monday 9:15: 30 minutes, six hours on Saturday, 15 minutes."""
    messages = [
        ChatMessage(
            1,
            Side.CLIENT,
            datetime(2026, 11, 20, 17, 30, tzinfo=MOSCOW),
            "Актуально?",
            has_text=True,
        ),
        ChatMessage(
            2, Side.COMPANY, datetime(2026, 11, 23, 9, 15, tzinfo=MOSCOW), "Да", has_text=True
        ),
        ChatMessage(
            3, Side.CLIENT, datetime(2026, 11, 23, 20, 0, tzinfo=MOSCOW), "Беру", has_text=True
        ),
    ]
    at_night = datetime(2026, 11, 23, 23, 0, tzinfo=MOSCOW)
    times = answer_times(messages, OFFICE, MOSCOW, at_night)
    assert times == AnswerTimes(int(6.75 * HOUR), int(6.75 * HOUR), messages[2].sent_at)
    assert answer_times(messages[2:], OFFICE, MOSCOW, at_night).longest_wait_seconds == 0


@pytest.mark.parametrize(
    ("events", "minutes"),
    [
        ([], None),
        ([("client", 0)], None),
        ([("client missed", 4), ("client", 5)], 4),
        ([("client missed", 4), ("client missed", 7), ("company missed", 8)], 7),
        ([("client missed", 4), ("company", 5)], None),
        ([("client missed", 4), ("company completed", 5), ("client", 6)], None),
        ([("client busy", 4)], None),
    ],
)
def test_missed_call_asks_for_a_call_back_until_an_answer(
    events: list[tuple[str, int]], minutes: int | None
) -> None:
    found = find_missed_call(timeline(*events))
    assert found == (None if minutes is None else START + timedelta(minutes=minutes))
