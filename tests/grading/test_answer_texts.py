"""Texts of an answer: summary, recommendations and reasoning in Russian."""

from typing import Any

import pytest

from app.domain.criteria import Criterion
from tests.support.answers import answer_with_tonality, parse, read_refusal
from tests.support.chats import answer


@pytest.mark.parametrize("key", ["t", "text"])
def test_advice_has_two_spellings(key: str) -> None:
    raw = answer({"recommendations": [{"i": 2, key: "Сказать о доставке\nсразу."}]})
    assert parse(raw).recommendations[0].text == "Сказать о доставке сразу."


@pytest.mark.parametrize(
    "summary",
    [
        "Покупатель спросил про Apple iPhone 13 Pro Max 256, ему ответили.",
        "Продан MacBook Pro Retina A1502, покупатель забрал его сам.",
        "Спросил, есть ли в наличии WD-40, USB-C, iPad Air и Samsung Galaxy S23 Ultra.",
        "Да, macOS Sonoma и AirPods продали ему вчера.",
        "Покупатель купил Sony α7, продавец сразу отправил.",
        "Комната 20 м², площадь подъезда и объём верны.",
        "<Покупатель спросил о новом диване>",
    ],
)
def test_latin_names_may_stand_in_a_russian_text(summary: str) -> None:
    assert parse(answer({"summary": summary})).summary == summary


@pytest.mark.parametrize("left_out", [None, [], "", "нет", "Нет рекомендаций.", {}])
def test_no_recommendation_has_several_spellings(left_out: Any) -> None:
    assert parse(answer({"recommendations": left_out})).recommendations == ()


def test_recommendations_may_be_left_out() -> None:
    raw = answer()
    del raw["recommendations"]
    assert parse(raw).recommendations == ()


@pytest.mark.parametrize(
    "entry", ["Назвать цену.", {"t": "Назвать цену."}, {"i": None, "text": "Назвать цену."}]
)
def test_recommendation_may_name_no_message(entry: Any) -> None:
    (advice,) = parse(answer({"recommendations": [entry]})).recommendations
    assert (advice.number, advice.text) == (0, "Назвать цену.")


def test_equal_recommendations_are_one() -> None:
    again = [{"i": 2, "t": "Назвать цену."}] * 3
    advice = [*again, {"i": 4, "t": "Нет"}, {"i": 4, "t": "Уступить"}]
    found = parse(answer({"recommendations": advice})).recommendations
    assert [entry.text for entry in found] == ["Назвать цену.", "Уступить"]


def test_markup_is_removed_from_texts() -> None:
    raw = answer_with_tonality(why="- **Продавец** `вежлив`.")
    raw["summary"] = "# Итог\n**Покупатель** спросил о цене.\n- продавец __ответил__\n1. ушёл в 5"
    raw["recommendations"] = ["1. Назвать цену.", "* Предложить 2 скидки.", "— ### Ответить #1"]
    found = parse(raw)
    assert found.summary == "Итог Покупатель спросил о цене. продавец ответил ушёл в 5"
    assert [advice.text for advice in found.recommendations] == [
        "Назвать цену.",
        "Предложить 2 скидки.",
        "Ответить #1",
    ]
    assert found.criteria[Criterion.TONALITY].reasoning == "Продавец `вежлив`."


def test_foreign_advice_is_dropped_and_the_rest_stays() -> None:
    advice = [
        {"i": 1, "t": "Be polite and answer faster."},
        {"i": 2, "text": "Назвать цену."},
        {"i": 3, "t": "Name the price."},
        {"i": 3, "t": "<текст>"},
        {"i": 3, "t": ""},
        {"i": 4, "t": "Предложить доставку."},
    ]
    found = parse(answer({"recommendations": advice})).recommendations
    assert [entry.text for entry in found] == ["Назвать цену.", "Предложить доставку."]


@pytest.mark.parametrize(
    "why", ["The seller was polite.", "<предложение>", "", None, 5, ["Вежлив."], {"t": "Вежлив."}]
)
def test_reasoning_that_cannot_be_shown_is_dropped(why: object) -> None:
    assert parse(answer_with_tonality(why=why)).criteria[Criterion.TONALITY].reasoning is None


def test_reasoning_is_one_line_of_at_most_500_characters() -> None:
    entry = parse(answer_with_tonality(why=f"Продавец\n вежлив.\0{'а' * 600}")).criteria[
        Criterion.TONALITY
    ]
    assert entry.reasoning is not None
    assert entry.reasoning.startswith("Продавец вежлив.")
    assert len(entry.reasoning) == 500


def test_three_recommendations_are_kept() -> None:
    advice = [{"i": number, "t": f"Совет номер {number}"} for number in range(1, 6)]
    found = parse(answer({"recommendations": advice})).recommendations
    assert [entry.number for entry in found] == [1, 2, 3]


@pytest.mark.parametrize(
    "summary",
    [
        "",
        " \n",
        "...",
        "The buyer asked, the seller answered.",
        "The Buyer Asked And The Seller Answered.",
        "[ТЕЛЕФОН_1] [ИМЯ_1] was given",
        "The buyer asked about the диван, the seller answered.",
        "Says «добрый день, приезжайте сегодня вечером» politely",
        "买家询问",
        "<текст>",
        "买家询问 Покупатель спросил о цене, продавец ответил ему.",
        "Покупатель спросил о цене, продавец ответил ему 卖.",
        "Покупець запитав про ціну, продавець відповів йому.",
        "Купувачът попита за цената, продавачът отговори.",
        "THE BUYER ASKED ABOUT PRICE. Ок да",
        "Buyer Asked Seller About iPhone. Продавец ответил.",
    ],
)
def test_summary_must_be_russian(summary: str) -> None:
    assert "summary: нужен непустой текст на русском" in read_refusal(answer({"summary": summary}))


@pytest.mark.parametrize(
    ("summary", "words"),
    [
        ("Да", "хотя бы 5 русских слов"),
        ("Покупатель спросил, продавец ответил.", "хотя бы 5 русских слов"),
        ("Извините, я не буду отвечать на этот вопрос.", "а не отказ"),
        ("К сожалению, я вижу только часть переписки.", "а не отказ"),
        ("По этим данным не могу оценить работу продавца.", "а не отказ"),
        ("Переписка короткая, поэтому не могу её оценить.", "а не отказ"),
        ("Как языковая модель, оцениваю только тексты людей.", "а не отказ"),
    ],
)
def test_summary_must_retell_the_chat(summary: str, words: str) -> None:
    assert words in read_refusal(answer({"summary": summary}))


@pytest.mark.parametrize(
    "summary",
    [
        "Покупатель спросил и продавец ответил.",
        "Продавец написал: «Извините, я не могу оценить состояние», покупатель ушёл.",
        "Продавец не смог оценить состояние дивана.",
        "Продавец сказал, что, к сожалению, диван продан.",
    ],
)
def test_summary_of_five_words_is_read(summary: str) -> None:
    assert parse(answer({"summary": summary})).summary == summary


@pytest.mark.parametrize(
    "quoted", ["«aGVsbG8gd29ybGQgYW5kIGZyaWVuZHM»", '"Is it still here, sir?"']
)
def test_quoted_words_may_be_in_any_language(quoted: str) -> None:
    summary = f"На {quoted} нет никакого ответа продавца."
    assert parse(answer({"summary": summary})).summary == summary
