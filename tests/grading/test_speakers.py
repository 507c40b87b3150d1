"""The side that a text names as the author of a quotation."""

import pytest

from app.domain.messages import Side
from app.grading.evidence import QuoteVerifier
from app.grading.masking.masker import Masker
from app.grading.quotations import check_quotations
from app.grading.speakers import find_speakers
from tests.support.chats import chat

ASKED = chat(
    ("client", "Здравствуйте, диван в наличии? Торг есть?"),
    ("company", "Добрый день! В наличии, торга нет, цена 45 000 ₽"),
    ("client", "Дороговато, видел за 40"),
    ("company", "Понимаю, могу уступить 1000"),
)
BOTH = frozenset(Side)
SELLER, BUYER = frozenset({Side.COMPANY}), frozenset({Side.CLIENT})


def check_asked(text: str) -> tuple[str, bool]:
    checked = check_quotations(text, QuoteVerifier(ASKED, Masker([])))
    return checked.text, checked.has_unverified


@pytest.mark.parametrize(
    "text",
    [
        "Продавец сказал «Дороговато, видел за 40».",
        "Продавец ответил покупателю «Дороговато, видел за 40».",
        "Менеджер написал, что «видел за 40».",
        "Компания ответила «видел за 40».",
        "Покупатель сказал «могу уступить 1000».",
        "Клиент ответил «торга нет».",
        "«Видел за 40», — сказал продавец.",
        "Продавец ответил «доставка есть», покупатель сказал «могу уступить 1000».",
        "Продавец сказал «торг есть».",
        "Продавец сказал «диван в наличии».",
        "Покупатель сказал «торг есть».",
        "Покупатель написал, что «диван в наличии».",
    ],
)
def test_words_of_the_other_side_and_questions_as_statements_are_invented(text: str) -> None:
    assert check_asked(text) == ("", True)


@pytest.mark.parametrize(
    "text",
    [
        "Покупатель сказал «Дороговато, видел за 40».",
        "Продавец на возражение покупателя «Дороговато, видел за 40» ответил.",
        "На слова покупателя «видел за 40» продавец ответил «могу уступить 1000».",
        "Покупатель спросил продавца «Торг есть?».",
        "Покупатель спросил «торг есть».",
        "Покупатель спросил, «диван в наличии».",
        "Покупатель сказал «торг есть»?",
        "Покупатель написал «Здравствуйте».",
        "Продавец сказал «торга нет», а покупатель — «видел за 40».",
        "Покупатель писал «Дороговато», а «могу уступить 1000» ответил продавец.",
        "Продавцу написали «видел за 40».",
        "Сказано: «видел за 40», «могу уступить 1000».",
        "«Видел за 40», — сказал покупатель.",
    ],
)
def test_words_of_the_named_side_are_verified(text: str) -> None:
    assert check_asked(text) == (text, False)


@pytest.mark.parametrize(
    ("before", "after", "sides"),
    [
        ("", "", BOTH),
        ("Он сказал ", "", BOTH),
        ("Продавщица сказала ", "", SELLER),
        ("Магазин сказал ", "", SELLER),
        ("Клиентка сказала ", "", BUYER),
        ("Слова менеджера ", "", SELLER),
        ("Покупатель ответил, продавец возразил ", "", SELLER),
        ("Продавец ответил клиенту ", "", SELLER),
        ("Покупателю написали ", "", BOTH),
        ("", ", — ответил продавец", SELLER),
        ("", " — спросил покупатель", BUYER),
        ("", ", продавец молчит", BOTH),
        ("Покупатель спросил продавца ", "", SELLER | BUYER),
        ("Извинитесь перед клиентом за слова ", "", BOTH),
        ("Не отсылайте клиента звонить или смотреть самому (", ").", BOTH),
        ("Продавец оставил разговор без конца: ", "", BOTH),
        ("Продавец нагрубил: ", "", SELLER),
        ("Продавец: ", "", SELLER),
        ("Продавец проигнорировал слова ", "", SELLER | BUYER),
        ("Продавец так и не ответил: ", "", SELLER | BUYER),
        ("Слова клиента, а именно ", "", BUYER),
        ("Слова клиента были очень простые ", "", BOTH),
        ("Продавец говорил с покупателем и писал ", "", SELLER),
        ("Продавец не ответил на вопрос: ", "", SELLER | BUYER),
        ("Продавец оставил без ответа возражений: 1 из 1: ", "", SELLER | BUYER),
        ("Продавец ответил на вопрос и очень грубо потом ещё написал ", "", SELLER),
    ],
)
def test_side_of_a_quotation(before: str, after: str, sides: frozenset[Side]) -> None:
    assert find_speakers(before, after) == sides
