"""Numbers sent in parts over several messages get one token and are restored as written."""

import pytest

from app.domain.messages import Side
from app.grading.evidence import QuoteVerifier
from app.grading.masking.masker import Masker
from app.grading.retelling import Retelling
from tests.support.chats import MOSCOW, chat


@pytest.mark.parametrize(
    ("texts", "masked"),
    [
        (["8916", "204", "17 33"], ["[ТЕЛЕФОН_1]"] * 3),
        (
            ["сначала 8905 потом", "771", "40 19 всё"],
            ["сначала [ТЕЛЕФОН_1] потом", "[ТЕЛЕФОН_1]", "[ТЕЛЕФОН_1] всё"],
        ),
        (
            ["восемь девятьсот шестнадцать", "двести три", "сорок пять шестьдесят семь"],
            ["[ТЕЛЕФОН_1]"] * 3,
        ),
        (["+7924", "700-11", "33"], ["[ТЕЛЕФОН_1]"] * 3),
        (["паспорт мой", "4012", "876543"], ["паспорт мой", "[ПАСПОРТ_1]", "[ПАСПОРТ_1]"]),
        (["карта: 4279 3806 1122", "3344"], ["карта: [КАРТА_1]", "[КАРТА_1]"]),
        (
            ["номер без конца 8 917 330 25", "последние две 61"],
            ["номер без конца [ТЕЛЕФОН_1]", "последние две [ТЕЛЕФОН_1]"],
        ),
        (["8 900 руб", "916 204 17 33"], ["8 900 руб", "[ТЕЛЕФОН_1]"]),
        (["3", "500", "торг"], ["3", "500", "торг"]),
        (["8", "900 рублей", "ок?"], ["8", "900 рублей", "ок?"]),
        (["размер 46", "рост 170", "вес 65"], ["размер 46", "рост 170", "вес 65"]),
    ],
)
def test_parts_of_a_number_are_masked(texts: list[str], masked: list[str]) -> None:
    masker = Masker([], texts)
    assert [masker.mask(text) for text in texts] == masked


def test_number_in_parts_has_the_token_of_the_whole_number() -> None:
    masker = Masker([], texts := ["8916", "204 17 33", "ещё раз: 8 916 204-17-33"])
    assert [masker.mask(text) for text in texts] == [
        "[ТЕЛЕФОН_1]",
        "[ТЕЛЕФОН_1]",
        "ещё раз: [ТЕЛЕФОН_1]",
    ]


def test_parts_are_restored_in_quotes_and_masked_in_the_summary() -> None:
    window = chat(
        ("client", "мой 8916"), ("client", "204"), ("client", "17 33"), ("company", "Записал 8916")
    )
    masker = Masker([], [message.text for message in window])
    assert [masker.mask(message.text) for message in window[:3]] == [
        "мой [ТЕЛЕФОН_1]",
        "[ТЕЛЕФОН_1]",
        "[ТЕЛЕФОН_1]",
    ]
    transcript = QuoteVerifier(window, masker)
    quote = transcript.verify(1, "мой [ТЕЛЕФОН_1]", {Side.CLIENT})
    assert quote is not None
    assert quote.text == "мой 8916"
    retelling = Retelling(window, masker, transcript, MOSCOW)
    assert (
        retelling.in_words("Покупатель оставил [ТЕЛЕФОН_1]: «мой [ТЕЛЕФОН_1]».")
        == "Покупатель оставил телефон: «мой [телефон]»."
    )
