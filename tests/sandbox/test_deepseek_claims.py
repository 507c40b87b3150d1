"""Objections and critical faults that the local DeepSeek finds."""

import pytest

from tests.support.grading_protocol import (
    build_rows,
)
from tests.support.sandbox_grades import grade_chat


@pytest.mark.parametrize(
    ("objection", "reply", "answered"),
    [
        ("Дорого, у других дешевле", "Понимаю, зато гарантия 6 месяцев", "y"),
        ("Дорого, у других дешевле", "Могу уступить 500 рублей", "y"),
        ("Дорого, у других дешевле", "до 20 работаем", "n"),
        ("Боюсь предоплаты", "не нравится — не берите, гарантия есть", "n"),
    ],
)
def test_objection_is_answered_by_a_polite_reply_to_the_point(
    objection: str, reply: str, answered: str
) -> None:
    answer = grade_chat(build_rows(("buyer", objection, "12:00"), ("seller", reply, "12:05")))

    assert answer["objections"] == [{"i": 1, "q": objection, "a": answered}]


@pytest.mark.parametrize("words", ["Торг есть?", "Здравствуйте", "Спасибо, не надо", "Подумаю"])
def test_question_and_refusal_are_no_objections(words: str) -> None:
    answer = grade_chat(
        build_rows(("buyer", words, "12:00"), ("seller", "Добрый день! Да", "12:05"))
    )

    assert answer["objections"] == []
    assert answer["criteria"]["objection_handling"]["grade"] == "none"


@pytest.mark.parametrize(
    ("turns", "fault"),
    [
        ([("buyer", "Уступите?"), ("seller", "Иди на помойке ищи")], "insult"),
        ([("buyer", "Можно доставкой?"), ("seller", "Нет, кидайте на карту")], "outside_payment"),
        (
            [
                ("buyer", "Диван есть?"),
                ("seller", "Есть, приезжайте"),
                ("buyer", "Еду, буду через час"),
                ("seller", "Уже продали"),
            ],
            "false_availability",
        ),
        ([("buyer", "Диван есть?"), ("seller", "Есть"), ("seller", "Уже продали")], None),
        ([("buyer", "Дорого"), ("seller", "Не нравится — не берите")], None),
    ],
)
def test_critical_faults_are_found_by_words(
    turns: list[tuple[str, str]], fault: str | None
) -> None:
    answer = grade_chat(build_rows(*[(role, text, "12:00") for role, text in turns]))

    assert [claim["fault"] for claim in answer["critical"]] == ([fault] if fault else [])
