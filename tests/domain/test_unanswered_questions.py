"""The unanswered question of a chat, and the fresh messages that may still be answered in time."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest

from app.domain.timeliness import (
    follow_waits,
)
from app.domain.working_hours import ROUND_THE_CLOCK, WorkingHours
from tests.support.waits import (
    ANSWER,
    AUTOMATIC,
    DELETED,
    HOUR,
    MOSCOW,
    PROMISE,
    QUESTION,
    SATURDAY,
    THREE_HOURS,
    make_chat,
)

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
