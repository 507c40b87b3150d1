"""Which claims of critical faults the chat and the model's other answers support."""

import pytest

from app.domain.critical import CriticalFault
from app.grading.critical_claims import Support, verify_critical
from app.grading.evidence import QuoteVerifier
from app.grading.masking.masker import Masker
from app.grading.model_answer import CriticalClaim
from tests.support.chats import chat

INSULT, PAYMENT, AVAILABILITY = CriticalFault
CALM = Support(is_rude=False, is_low=False, has_fault=False)
FAULTY = Support(is_rude=False, is_low=False, has_fault=True)
RUDE = Support(is_rude=True, is_low=False, has_fault=True)
LOW = Support(is_rude=True, is_low=True, has_fault=True)
Lines = tuple[tuple[str, str], ...]


def accuse(fault: CriticalFault, words: str, number: int = 2) -> CriticalClaim:
    return CriticalClaim.model_validate({"fault": fault, "i": number, "q": words})


def verify(lines: Lines, support: Support, *claims: CriticalClaim) -> tuple[list[str], bool]:
    """Return the faults that count, and whether another claim does not."""
    transcript = QuoteVerifier(chat(*lines), Masker([]))
    found, is_missing = verify_critical(claims, transcript, support)
    return [finding.fault.value for finding in found], is_missing


@pytest.mark.parametrize(
    ("text", "words", "support", "counts"),
    [
        ("Вы идиот, читайте объявление", "Вы идиот", LOW, True),
        ("Вы идиот, читайте объявление", "Вы идиот", CALM, True),
        ("Иди отсюда, нищеброд", "Иди отсюда, нищеброд", FAULTY, True),
        ("Я знаю где ты живёшь", "знаю где ты живёшь", CALM, True),
        ("Внуков вам нянчить пора", "Внуков вам нянчить пора", LOW, True),
        ("Внуков вам нянчить пора", "Внуков вам нянчить пора", RUDE, False),
        ("Добрый день! Да, думайте быстрее.", "Добрый день!", LOW, False),
        ("Добрый день! Да, думайте быстрее.", "думайте быстрее", RUDE, False),
        ("Читайте объявление", "Читайте объявление", RUDE, False),
        ("Вы хам", "Вы хам и грубиян", LOW, False),
    ],
)
def test_insult_needs_its_words_or_other_answers(
    text: str, words: str, support: Support, *, counts: bool
) -> None:
    lines = (("client", "Торг есть?"), ("company", text))
    expected = (["insult"], False) if counts else ([], True)
    assert verify(lines, support, accuse(INSULT, words)) == expected


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("Извините", "ты дура"),
        ("Зачем писать «ты дура»? Давайте спокойно", "Зачем писать «ты дура»?"),
    ],
)
def test_insult_of_the_buyer_is_none_of_the_seller(answer: str, words: str) -> None:
    lines = (("client", "да ты дура"), ("company", answer))
    assert verify(lines, RUDE, accuse(INSULT, words)) == ([], True)


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("Только перевод на карту", True),
        ("Через Авито не работаю, предоплата сразу", True),
        ("Сначала скиньте задаток", True),
        ("только на Сбер по номеру, иначе отдам другому", True),
        ("Кидайте на Тинькофф", True),
        ("Телефон, карта памяти и чехол", False),
        ("Материнская плата", False),
        ("платье в наличии", False),
        ("Да, бесплатно", False),
        ("Оформляйте Авито доставку, оплата через Авито", False),
        ("оплата наличными при встрече", False),
        ("Скиньте фото товара", False),
        ("Жду вас завтра в семь вечера", False),
    ],
)
def test_payment_needs_words_about_a_transfer(text: str, *, counts: bool) -> None:
    lines = (("client", "Когда?"), ("company", text))
    expected = (["outside_payment"], False) if counts else ([], True)
    assert verify(lines, FAULTY, accuse(PAYMENT, text)) == expected


AVAILABLE, RELIED = ("company", "Да, в наличии, приезжайте"), ("client", "Я приехал")


@pytest.mark.parametrize(
    ("lines", "counts"),
    [
        ((AVAILABLE, RELIED, ("company", "Ой, вчера продали")), True),
        ((AVAILABLE, RELIED, ("company", "Увы, утром реализовали")), True),
        ((AVAILABLE, RELIED, ("company", "уехал к новому хозяину")), True),
        ((AVAILABLE, RELIED, ("company", "Нет, царапин нет")), False),
        ((AVAILABLE, RELIED, ("company", "другие вопросы пишите")), False),
        ((("company", "Уже продан"),), False),
        ((AVAILABLE, ("company", "Ой, уже продали, не приезжайте")), False),
        ((("bot", "Да, в наличии"), RELIED, ("company", "Ой, вчера продали")), False),
        ((AVAILABLE, ("bot", "Мы ответим"), RELIED, ("company", "Ой, вчера продали")), True),
    ],
)
def test_availability_is_false_if_it_is_taken_back_later(lines: Lines, *, counts: bool) -> None:
    """The quote may be the promise or the words that take it back."""
    whole = (("client", "В наличии?"), *lines)
    for number in (2, len(whole)):
        claim = accuse(AVAILABILITY, whole[number - 1][1], number)
        if whole[number - 1][0] == "company":
            expected = (["false_availability"], False) if counts else ([], True)
            assert verify(whole, FAULTY, claim) == expected


@pytest.mark.parametrize(
    ("words", "support", "counts"),
    [("на карту", CALM, True), ("Решайте быстрее", FAULTY, True), ("Решайте быстрее", CALM, False)],
)
def test_payment_of_another_message_needs_another_fault(
    words: str, support: Support, *, counts: bool
) -> None:
    lines = (("client", "Беру"), ("company", "Только на карту"), ("company", "Решайте быстрее"))
    number = 2 if words == "на карту" else 3
    expected = (["outside_payment"], False) if counts else ([], True)
    assert verify(lines, support, accuse(PAYMENT, words, number)) == expected


def test_each_fault_counts_once() -> None:
    lines = (("client", "Есть?"), AVAILABLE, RELIED, ("company", "Продал. Киньте на карту аванс"))
    claims = (
        accuse(AVAILABILITY, "Продал", 4),
        accuse(PAYMENT, "Киньте на карту", 4),
        accuse(AVAILABILITY, "в наличии"),
    )
    assert verify(lines, FAULTY, *claims) == (["false_availability", "outside_payment"], False)
