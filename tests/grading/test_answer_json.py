"""The JSON object of an answer, whatever text surrounds it."""

import json

import pytest

from app.domain.criteria import Criterion
from app.domain.grades import Grade
from tests.support.answers import DRAFT, GOOD, answer_with_tonality, parse, read_refusal
from tests.support.chats import answer


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"  \n{GOOD}\n",
        f"```json\n{GOOD}\n```",
        f"Вот оценка {{по критериям}}:\n{GOOD}\nГотово {{}}.",
        json.dumps(answer(), indent=2),
        "\ufeff" + GOOD,
        f"<think>Продавец вежлив.</think>{GOOD}",
        f"<think>Набросок: {DRAFT}</think>\n{GOOD}",
        f"Набросок: {DRAFT}\n</think>\n\n{GOOD}",
        f"<think>{'{ ' * 200}</think>\n```json\n{GOOD}\n```",
        f'{{"note": 1}} {GOOD}',
        f"<thinking>Набросок: {DRAFT}</thinking>\n{GOOD}",
        f"{GOOD}\n\nИтог:\n{json.dumps(answer(), indent=1)}",
        f'{{"result": {GOOD}}}',
        f'{{"note": {{"a": 1}}, "result": {GOOD}}}',
        f"[{GOOD}]",
        GOOD.replace("диване, продавец", "диване,\nпродавец"),
        GOOD.replace("диване, продавец", "диване,\tпродавец"),
        GOOD[:-1] + ",}",
        GOOD[:-1] + ",\n }",
        GOOD.replace("]", ", ]").replace("[, ]", "[]"),
        GOOD.replace('"objections": [],', '"objections": [], // нет, "{"\n', 1),
        GOOD.replace('"objections": [],', '/* "a" * { */ "objections": [],', 1),
        repr(answer()),
        f"Вот {{'ответ}} {GOOD}",
        "{'a': 1} " * 3 + repr(answer() | {"note": "it's", "is_final": True, "more": None}),
    ],
)
def test_wrapping_does_not_matter(text: str) -> None:
    assert parse(text) == parse(GOOD)
    assert parse(text).criteria[Criterion.TONALITY].grade is Grade.HIGH
    assert parse(text).criteria[Criterion.OBJECTION_HANDLING].grade is Grade.NONE
    assert parse(text).criteria[Criterion.TONALITY].evidence[0].words == "Добрый день!"
    assert [advice.number for advice in parse(text).recommendations] == [4]


def test_end_of_thinking_may_be_words_of_the_chat() -> None:
    """A person may write it, and the model quotes it."""
    raw = answer_with_tonality(ev=[{"i": 2, "q": "Цена </think> 500"}])
    assert parse(raw).criteria[Criterion.TONALITY].evidence[0].words == "Цена </think> 500"
    assert parse(f"\ufeff\n{json.dumps(raw)}") == parse(raw)
    assert parse(f"```json\n{json.dumps(raw)}\n```") == parse(raw)
    assert parse(f"<think>{DRAFT}</think>{json.dumps(raw)}") == parse(raw)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "Не могу оценить",
        "{",
        GOOD[:-40],
        "[]",
        "null",
        '{"a": 1}',
        f"<think>{GOOD}</think>",
        f"{GOOD}\n</think>\nНе могу оценить",
        "{" * 5000,
        '{"criteria":' * 5000,
    ],
)
def test_no_whole_object(text: str) -> None:
    assert "нет целого объекта JSON" in read_refusal(text)


def test_two_different_objects() -> None:
    assert "несколько объектов" in read_refusal(f"{GOOD}\n{DRAFT}")
    assert "несколько объектов" in read_refusal(f"{GOOD}\n{GOOD}\n{DRAFT}")
    assert "нет целого объекта" in read_refusal(f'{{"draft": {DRAFT}, "final": {GOOD}}}')


def test_repeated_key() -> None:
    assert "один ключ стоит дважды" in read_refusal(
        GOOD.replace('"summary"', '"criteria": {}, "summary"')
    )
