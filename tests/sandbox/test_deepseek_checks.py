"""Rules of the checks of the local DeepSeek."""

import re
from typing import Any

import pytest

from app.sandbox.deepseek_rules import grade
from tests.support.grading_protocol import (
    CHECKS,
    GOOD,
    build_rows,
    build_system_message,
    build_user_message,
)
from tests.support.sandbox_grades import grade_chat


def find_check(answer: dict[str, Any], check: str) -> str:
    (value,) = [
        checks[check]
        for criterion in answer["criteria"].values()
        if check in (checks := criterion["checks"])
    ]
    return str(value)


@pytest.mark.parametrize(
    ("buyer", "seller", "earlier", "value"),
    [
        ("Здравствуйте! Есть?", ("Да, приезжайте", "Адрес в объявлении"), 0, "n"),
        ("Здравствуйте! Есть?", ("Добрый день! Да", "Приезжайте"), 0, "y"),
        ("Здравствуйте! Есть?", ("Да, есть",), 0, "y"),
        ("Есть?", ("Да, приезжайте", "Адрес в объявлении"), 0, "y"),
        ("Здравствуйте! Есть?", ("Да, приезжайте", "Адрес в объявлении"), 12, "y"),
    ],
)
def test_a_greeting_is_required_only_in_answer_to_one(
    buyer: str, seller: tuple[str, ...], earlier: int, value: str
) -> None:
    rows = build_rows(("buyer", buyer, "12:00"), *(("seller", text, "12:05") for text in seller))
    answer = grade(build_system_message(), build_user_message(rows, earlier=earlier))

    assert answer is not None
    assert find_check(answer, "courteous") == value


@pytest.mark.parametrize(
    ("check", "turns", "value"),
    [
        ("questions_answered", "b:Бита? s:Торг у капота b:Понял", "n"),
        ("questions_answered", "b:Бита? s:Не знаю, купил с рук", "n"),
        ("questions_answered", "b:Бита? s:Не знаю, уточню до вечера", "y"),
        ("questions_answered", "b:Бита? s:[фото]", "na"),
        ("questions_answered", "b:Бита? s:Нет b:А коробка?", "y"),
        ("questions_answered", "b:Беру s:Хорошо", "na"),
        ("questions_answered", "b:Экран родной? s:Рабочий b:я не про это", "n"),
        ("direct_answers", "b:Бита? s:Посмотрим b:Понял", "n"),
        ("direct_answers", "b:Бита? s:Нет", "y"),
        ("direct_answers", "b:Бита? s:Торг у капота b:Понял", "na"),
        ("specifics", "b:Сколько стоит? s:Недорого", "n"),
        ("specifics", "b:Сколько стоит? s:500 рублей", "y"),
        ("specifics", "b:Сколько стоит? s:Звоните", "na"),
        ("readable", "b:Есть? s:Дак то b:Не понял вас", "n"),
        ("solution_offered", "b:Хочу обмен s:Рассмотрим", "n"),
        ("solution_offered", "b:Хочу обмен s:Не доставляем", "y"),
        ("solution_offered", "b:Хочу обмен s:На что именно?", "na"),
        ("solution_offered", "b:Цвет какой? s:Синий", "na"),
        ("details_given", "b:Пришлите фото s:Нет, не буду", "n"),
        ("details_given", "b:Пришлите фото s:Нет, я не дома", "y"),
        ("details_given", "b:Пришлите фото s:[фото]", "y"),
        ("details_given", "b:Цвет какой? s:Синий", "na"),
        ("next_step", "b:Когда мастер? s:напишем", "n"),
        ("next_step", "b:Когда мастер? s:Жду вас завтра", "y"),
        ("next_step", "b:Цвет какой? s:Синий", "na"),
        ("next_step", "b:Цвет какой? s:Синий b:Подумаю", "na"),
        ("agreement", "b:Приеду в семь s:Жду вас в семь", "y"),
        ("agreement", "b:Приеду в семь s:Цвет синий", "n"),
        ("agreement", "b:Цвет какой? s:Синий", "na"),
        ("no_hanging", "b:Цвет какой? s:Синий b:А размер?", "n"),
        ("no_hanging", "b:Цвет какой? s:Синий b:Спасибо", "y"),
        ("competent", "b:Бита? s:Вроде нет", "n"),
        ("competent", "b:Бита? s:Не знаю", "y"),
        ("literate", "b:Бита? s:щас скока ваще", "n"),
        ("literate", "b:Бита? s:нет не бита", "y"),
        ("attentive", "b:Медкнижка есть s:Медкнижка есть? b:Написала же", "n"),
        ("attentive", "b:Цвет какой? s:Синий", "na"),
    ],
)
def test_rules_of_the_checks(check: str, turns: str, value: str) -> None:
    sides = {"b": "buyer", "s": "seller"}
    written = [
        (sides[side], text.strip()) for side, text in re.findall(r"(\w):(.*?)(?= \w:|$)", turns)
    ]
    answer = grade_chat(build_rows(*[(role, text, "12:00") for role, text in written]))

    assert find_check(answer, check) == value


@pytest.mark.parametrize(
    ("graded_at", "value"), [("2026-11-22 18:00", "y"), ("2026-11-24 12:00", "n")]
)
def test_a_promise_is_due_after_a_day(graded_at: str, value: str) -> None:
    rows = build_rows(("buyer", "Газ есть?", "12:00"), ("seller", "Уточню у хозяина", "12:05"))
    answer = grade(build_system_message(), build_user_message(rows, graded_at=graded_at))

    assert answer is not None
    assert find_check(answer, "no_hanging") == value


def test_checks_without_a_rule_do_not_apply() -> None:
    own = CHECKS | {"tonality": ["courteous", "sings_a_song"]}

    assert grade_chat(GOOD, own)["criteria"]["tonality"]["checks"] == {
        "courteous": "y",
        "sings_a_song": "na",
    }
