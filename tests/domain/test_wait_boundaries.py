"""What begins and ends the wait for an answer: thanks, calls, automatic texts, promises."""

import pytest

from app.domain.timeliness import (
    LateAnswer,
    needs_answer,
)
from tests.support.waits import (
    ANSWER,
    AUTOMATIC,
    DELETED,
    HOUR,
    PROMISE,
    QUESTION,
    THREE_HOURS,
    list_late,
    make_chat,
)


def test_wait_begins_with_the_first_of_several_messages() -> None:
    rows = [(0, "client", QUESTION), (HOUR, "client", "Ау"), (HOUR + 1, "company", ANSWER)]
    assert [entry.seconds for entry in list_late(rows)] == [HOUR + 1]


def test_only_the_first_message_of_the_company_answers() -> None:
    rows = [(0, "client", QUESTION), (60, "company", ANSWER), (HOUR * 9, "company", "Ждём вас")]
    assert list_late(rows) == []


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
