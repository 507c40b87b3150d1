"""Late answers and unanswered questions."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.domain.messages import ChatMessage, Side
from app.domain.timeliness import (
    GRADING_HOURS,
    LateAnswer,
    follow_waits,
    needs_answer,
)
from app.domain.working_hours import ROUND_THE_CLOCK, WorkingHours

MOSCOW = ZoneInfo("Europe/Moscow")
SATURDAY = datetime(2026, 11, 21, 17, 0, tzinfo=MOSCOW)
HOUR, THREE_HOURS = 3600, 3 * 3600
QUESTION, ANSWER = "Ещё в наличии?", "Да, в наличии"
AUTOMATIC = "Здравствуйте! Мы получили ваше сообщение и скоро ответим."
PROMISE, DELETED = "Сейчас узнаю", "[сообщение удалено]"


def _find_type(text: str) -> str:
    return "deleted" if text == DELETED else "call" if text.startswith("[call") else "text"


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
            type=_find_type(text),
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
    return list(follow_waits(make_chat(*rows), hours, MOSCOW, is_whole=is_whole).late)


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
        ("Спасибо большое, Анна", False),
        (DELETED, False),
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


@pytest.mark.parametrize(
    ("asked", "is_late"), [("Вам доставку?", True), ("Есть https://www.avito.ru/x?id=1", False)]
)
def test_yes_to_a_question_begins_a_wait(asked: str, *, is_late: bool) -> None:
    rows = [(0, "company", asked), (10, "client", "Да"), (HOUR * 9, "company", "Записал")]
    assert bool(list_late(rows)) is is_late


def test_deleted_message_neither_asks_nor_answers() -> None:
    rows = [(0, "client", QUESTION), (60, "company", DELETED), (HOUR + 1, "company", ANSWER)]
    assert [entry.message_id for entry in list_late(rows)] == [3]
    asked = [(0, "client", DELETED), (HOUR * 9, "company", "Здравствуйте")]
    assert list_late(asked) == []


@pytest.mark.parametrize("further", ["А, вижу, есть. Спасибо!", "Уже купил, спасибо", "Не надо"])
def test_buyer_who_needs_no_answer_any_more_ends_the_wait(further: str) -> None:
    rows = [(0, "client", QUESTION), (60, "client", further), (HOUR * 9, "company", "Ждём вас")]
    assert list_late(rows) == []
    rows[1] = (60, "client", "Заранее спасибо")
    assert [entry.seconds for entry in list_late(rows)] == [HOUR * 9]


def test_automatic_text_does_not_stop_the_clock() -> None:
    rows = [(0, "client", QUESTION), (0, "company", AUTOMATIC), (HOUR, "company", ANSWER)]
    assert list_late(rows) == []
    rows[2] = (HOUR + 1, "company", ANSWER)
    assert list_late(rows) == [LateAnswer(3, HOUR + 1, HOUR, is_first=True)]


def test_automatic_text_to_a_later_message_keeps_its_limit() -> None:
    rows = [
        (0, "company", ANSWER),
        (0, "client", QUESTION),
        (0, "company", ANSWER),
        (10, "client", "А доставка?"),
        (20, "company", AUTOMATIC),
        (10 + THREE_HOURS, "company", "Да"),
    ]
    assert list_late(rows) == []
    rows[5] = (11 + THREE_HOURS, "company", "Да")
    assert list_late(rows) == [LateAnswer(6, THREE_HOURS + 1, THREE_HOURS, is_first=False)]


@pytest.mark.parametrize(
    ("text", "seconds", "is_late"),
    [("Полевая 8", 60, False), ("Полевая 8", 10, True), ("Полевая 8, когда?", 60, True)],
)
def test_manager_may_be_named_after_a_statement(text: str, seconds: int, *, is_late: bool) -> None:
    rows = [
        (0, "client", QUESTION),
        (0, "company", ANSWER),
        (0, "client", text),
        (seconds, "company", "Менеджер по доставке свяжется с вами"),
        (HOUR * 4, "company", "Привезём завтра"),
    ]
    assert bool(list_late(rows)) is is_late


def test_promise_to_find_out_gives_three_hours_from_the_question() -> None:
    rows = [
        (0, "client", QUESTION),
        (60, "company", PROMISE),
        (70, "client", "Хорошо, жду"),
        (THREE_HOURS, "company", ANSWER),
    ]
    assert list_late(rows) == []
    rows[3] = (THREE_HOURS + 1, "company", ANSWER)
    assert list_late(rows) == [LateAnswer(4, THREE_HOURS + 1, THREE_HOURS, is_first=False)]


@pytest.mark.parametrize(("seconds", "is_late"), [(10, True), (11, False)])
def test_instant_promise_is_an_automatic_text(seconds: int, *, is_late: bool) -> None:
    rows = [
        (0, "client", "Здравствуйте"),
        (5, "client", QUESTION),
        (5 + seconds, "company", PROMISE),
        (HOUR * 2, "company", ANSWER),
    ]
    assert bool(list_late(rows)) is is_late


def test_late_promise_is_the_only_late_answer_of_its_wait() -> None:
    rows = [
        (0, "client", QUESTION),
        (HOUR + 1, "company", PROMISE),
        (HOUR * 9, "company", ANSWER),
        (HOUR * 9, "client", "А доставка?"),
        (HOUR * 13, "company", ANSWER),
    ]
    assert [entry.message_id for entry in list_late(rows)] == [2, 5]
    assert list_late(rows)[0].is_first


def test_promise_with_a_term_is_an_answer() -> None:
    rows = [
        (0, "client", QUESTION),
        (60, "company", "Узнаю до вечера"),
        (70, "client", "хорошо, жду"),
        (HOUR * 5, "company", ANSWER),
    ]
    assert list_late(rows) == []


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


NO_QUESTION = "Ну что же поделать? Спасибо"


def end_after(
    rows: Iterable[tuple[str, str]], seconds: int, *, is_whole: bool = True
) -> tuple[int | None, list[int]]:
    """Return the ids of the unanswered question and the fresh messages, ``seconds`` after the last.

    The messages are a minute apart.
    """
    window = make_chat(*((60 * place, *row) for place, row in enumerate(rows)))
    graded_at = (window[-1].sent_at if window else SATURDAY) + timedelta(seconds=seconds)
    waits = follow_waits(window, ROUND_THE_CLOCK, MOSCOW, is_whole=is_whole)
    found = waits.find_unanswered_question(graded_at)
    fresh = waits.list_fresh_messages(graded_at)
    return (found.id if found else None), [message.id for message in fresh]


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
        ([("company", ANSWER), ("client", "Торг?"), ("company", DELETED)], 2),
        ([("client", QUESTION), ("company", AUTOMATIC)], 1),
        ([("client", QUESTION), ("company", PROMISE), ("client", "Хорошо, жду")], 1),
        ([("client", QUESTION), ("company", "Узнаю до вечера")], None),
        ([("company", ANSWER), ("client", "Спасибо?")], None),
        ([("company", ANSWER), ("client", NO_QUESTION)], None),
        ([("company", ANSWER), ("client", "https://www.avito.ru/item?id=5")], None),
        ([("company", ANSWER), ("client", "А где вы?"), ("client", "Вижу, спасибо!")], None),
        ([("company", ANSWER), ("client", "А где вы?"), ("client", "Спасибо")], None),
        ([("company", ANSWER), ("client", "А где вы?"), ("client", "Заранее спасибо")], 2),
        ([("company", ANSWER), ("client", "Торг?"), ("client", "Нашёл"), ("client", "Где?")], 4),
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
    assert end_after(rows, 24 * HOUR)[0] == number


LATER = [("client", QUESTION), ("company", ANSWER), ("client", "А доставка?")]


@pytest.mark.parametrize(
    ("rows", "is_whole", "limit"),
    [
        ([("client", QUESTION)], True, HOUR),
        ([("company", "Здравствуйте!"), ("client", QUESTION)], True, HOUR),
        ([("client", QUESTION)], False, THREE_HOURS),
        (LATER, True, THREE_HOURS),
    ],
)
def test_question_is_fresh_until_an_answer_would_be_late(
    rows: list[tuple[str, str]], limit: int, *, is_whole: bool
) -> None:
    number = len(rows)
    assert end_after(rows, limit, is_whole=is_whole) == (None, [number])
    assert end_after(rows, limit + 1, is_whole=is_whole) == (number, [])


def test_working_hours_keep_a_question_fresh() -> None:
    """On Monday, ten minutes after the opening, a question of Saturday evening is fresh."""
    window = make_chat((0, "company", ANSWER), (60, "client", QUESTION))
    monday = datetime(2026, 11, 23, 9, 10, tzinfo=MOSCOW)
    hours = WorkingHours.parse("Пн-Пт 09:00-18:00")
    waits = follow_waits(window, hours, MOSCOW, is_whole=True)
    assert waits.find_unanswered_question(monday) is None
    assert waits.list_fresh_messages(monday) == window[1:]


@pytest.mark.parametrize(
    ("rows", "fresh"),
    [
        ([], []),
        ([("company", ANSWER), ("client", "Спасибо!")], []),
        ([("company", ANSWER), ("client", "Приеду в семь"), ("client", "[voice]")], [2, 3]),
        ([("company", ANSWER), ("client", "А где вы?"), ("client", "Вижу, спасибо!")], []),
    ],
)
def test_fresh_messages_are_those_that_wait_for_an_answer(
    rows: list[tuple[str, str]], fresh: list[int]
) -> None:
    assert end_after(rows, 0) == (None, fresh)
