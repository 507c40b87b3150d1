"""Late answers and unanswered questions."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.domain.messages import ChatMessage, Side
from app.domain.timeliness import (
    GRADING_HOURS,
    LateAnswer,
    find_unanswered_question,
    list_late_answers,
    needs_answer,
)
from app.domain.working_hours import ROUND_THE_CLOCK, WorkingHours

MOSCOW = ZoneInfo("Europe/Moscow")
SATURDAY = datetime(2026, 11, 21, 17, 0, tzinfo=MOSCOW)
HOUR, THREE_HOURS = 3600, 3 * 3600
QUESTION, ANSWER = "Ещё в наличии?", "Да, в наличии"


def make_chat(*rows: tuple[int, str, str]) -> list[ChatMessage]:
    """Return messages with ids from 1: seconds after the start, side, text.

    "[…]" is no text, "[call missed]" is a call.
    """
    return [
        ChatMessage(
            number,
            Side(side),
            SATURDAY + timedelta(seconds=seconds),
            text,
            has_text=not text.startswith("["),
            type="call" if text.startswith("[call") else "text",
            call_status=text.strip("[]").split()[1] if text.startswith("[call") else None,
        )
        for number, (seconds, side, text) in enumerate(rows, start=1)
    ]


def list_late(
    rows: Iterable[tuple[int, str, str]],
    hours: WorkingHours = ROUND_THE_CLOCK,
    *,
    is_whole: bool = True,
) -> list[LateAnswer]:
    return list_late_answers(make_chat(*rows), hours, MOSCOW, is_whole=is_whole)


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


def test_wait_begins_with_the_first_of_several_messages() -> None:
    rows = [(0, "client", QUESTION), (HOUR, "client", "Ау"), (HOUR + 1, "company", ANSWER)]
    assert [entry.seconds for entry in list_late(rows)] == [HOUR + 1]


def test_only_the_first_message_of_the_company_answers() -> None:
    rows = [(0, "client", QUESTION), (60, "company", ANSWER), (HOUR * 9, "company", "Ждём вас")]
    assert list_late(rows) == []


def test_company_that_writes_first_has_an_hour_for_its_first_answer() -> None:
    rows = [
        (0, "company", "Здравствуйте!"),
        (10, "client", QUESTION),
        (11 + HOUR, "company", ANSWER),
    ]
    assert [entry.is_first for entry in list_late(rows)] == [True]


def test_message_without_an_answer_is_not_late() -> None:
    rows = [(0, "client", QUESTION), (60, "company", ANSWER), (70, "client", "А доставка?")]
    assert list_late(rows) == []


def test_system_message_answers_nothing() -> None:
    rows = [
        (0, "client", QUESTION),
        (60, "system", "[Сообщение Авито]"),
        (HOUR + 1, "company", ANSWER),
    ]
    assert [entry.message_id for entry in list_late(rows)] == [3]


def test_thanks_start_no_wait() -> None:
    rows = [
        (0, "client", QUESTION),
        (60, "company", ANSWER),
        (70, "client", "хорошо, жду"),
        (HOUR * 9, "company", "Отправили"),
    ]
    assert list_late(rows) == []
    rows[2] = (70, "client", "[voice]")
    assert [entry.message_id for entry in list_late(rows)] == [4]


@pytest.mark.parametrize("side", ["client", "company"])
def test_completed_call_answers(side: str) -> None:
    on_time = [
        (0, "client", QUESTION),
        (HOUR, side, "[call completed]"),
        (HOUR * 9, "company", "Да"),
    ]
    assert list_late(on_time) == []
    late = [(0, "client", QUESTION), (HOUR + 1, side, "[call completed]")]
    assert list_late(late) == [LateAnswer(2, HOUR + 1, HOUR, is_first=True)]


@pytest.mark.parametrize("status", ["missed", "busy"])
def test_other_call_of_the_company_answers_nothing(status: str) -> None:
    rows = [(0, "client", QUESTION), (60, "company", f"[call {status}]")]
    assert list_late(rows) == []
    late = [*rows, (HOUR + 1, "company", ANSWER)]
    assert [entry.message_id for entry in list_late(late)] == [3]


@pytest.mark.parametrize(("status", "late"), [("missed", [2]), ("busy", []), ("completed", [])])
def test_missed_call_of_the_buyer_begins_a_wait(status: str, late: list[int]) -> None:
    rows = [(0, "client", f"[call {status}]"), (HOUR + 1, "company", ANSWER)]
    assert [entry.message_id for entry in list_late(rows)] == late


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("хорошо, жду", False),
        ("Хорошо, жду?", True),
        ("Спасибо большое за помощь!", False),
        ("Ок", False),
        ("До свидания, всего доброго", False),
        ("Я подумаю", False),
        ("Всё ясно, договорились", False),
        ("👍", False),
        ("...", False),
        ("[voice]", True),
        ("[image]", True),
        ("Дорого", True),
        ("Здравствуйте", True),
        ("Спасибо, а доставка есть", True),
        ("хорошо, когда", True),
        ("?", True),
    ],
)
def test_thanks_consent_and_farewells_need_no_answer(text: str, *, expected: bool) -> None:
    assert needs_answer(make_chat((0, "client", text))[0]) is expected


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


@pytest.mark.parametrize(
    ("rows", "number"),
    [
        ([], None),
        ([("client", QUESTION)], 1),
        ([("client", QUESTION), ("company", ANSWER)], None),
        ([("client", QUESTION), ("company", ANSWER), ("client", "А доставка?")], 3),
        (
            [
                ("company", ANSWER),
                ("client", "Хорошо"),
                ("client", "Торг?"),
                ("client", "Где?"),
                ("client", "Жду"),
            ],
            3,
        ),
        ([("company", ANSWER), ("client", "Приеду в семь")], None),
        ([("company", ANSWER), ("client", "[voice?]")], None),
        ([("company", "Когда приедете?")], None),
        ([("company", ANSWER), ("client", "Торг?"), ("system", "[Сообщение Авито?]")], 2),
        ([("company", ANSWER), ("client", "Торг?"), ("company", "[image]")], None),
        ([("company", ANSWER), ("client", "[call missed]")], 2),
        ([("client", "Торг?"), ("client", "[call missed]")], 1),
        ([("client", "[call missed]"), ("client", "Торг?")], 1),
        ([("client", "[call missed]"), ("company", "[call missed]")], 1),
        ([("client", "[call missed]"), ("company", "[call completed]")], None),
        ([("client", "Торг?"), ("client", "[call completed]")], None),
        ([("client", "Торг?"), ("company", "[call busy]")], 1),
        ([("company", ANSWER), ("client", "[call busy]")], None),
    ],
)
def test_unanswered_question_is_the_first_after_the_last_answer(
    rows: list[tuple[str, str]], number: int | None
) -> None:
    window = make_chat(*((60 * place, *row) for place, row in enumerate(rows)))
    found = find_unanswered_question(window)
    assert (found and found.id) == number
