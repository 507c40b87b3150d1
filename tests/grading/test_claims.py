"""Which quotations in the texts of the model stay."""

import pytest

from app.grading.claims import remove_unverified_quotations
from app.grading.evidence import QuoteVerifier
from app.grading.masking.masker import Masker
from tests.support.chats import SOFA, chat


def transcript(*lines: tuple[str, str]) -> QuoteVerifier:
    return QuoteVerifier(chat(*lines) if lines else SOFA, Masker([]))


@pytest.mark.parametrize(
    "text",
    [
        "Продавец поздоровался: «Добрый день!» — и назвал время.",
        "Продавец ответил «готов уступить 500 рублей».",
        'Покупатель счёл цену высокой: "дороговато для Б/У".',
        "Продавец сказал “обивка новая”.",
        "Продавец ответил: «обивка новая, готовы уступить 500 рублей».",
        "Обещал скидку («Понимаю… готов уступить 500 рублей»).",
        'Экран 15" и 17" не обсуждали.',
        "Текст без кавычек.",
    ],
)
def test_quotations_of_the_chat_stay(text: str) -> None:
    assert remove_unverified_quotations(text, transcript()) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Продавец нагрубил: «иди отсюда».", "Продавец нагрубил."),
        ("Продавец написал «иди отсюда» и ушёл.", "Продавец написал и ушёл."),
        ("Продавец нагрубил («иди отсюда»).", "Продавец нагрубил."),
        (
            "Продавец нагрубил — «иди отсюда», потом извинился.",
            "Продавец нагрубил, потом извинился.",
        ),
        ("Грубит: «иди отсюда», «не звони сюда».", "Грубит."),
        ('Грубит: "иди отсюда" ; потом молчит', "Грубит; потом молчит"),
        ("Сказал “иди отсюда”!", "Сказал!"),
        ("Сказал „иди отсюда“, ушёл.", "Сказал, ушёл."),
        ("«Иди отсюда», написал продавец.", "написал продавец."),
        ("Сказал «Добрый день!», затем «иди отсюда».", "Сказал «Добрый день!», затем."),
        ("Сказал «…» и ушёл.", "Сказал и ушёл."),
        ("«Иди отсюда»", ""),
        ("„Иди отсюда“.", ""),
        ("«Иди отсюда» — так ответил продавец.", "так ответил продавец."),
        ("Ответил. «Иди отсюда» — грубо.", "Ответил. грубо."),
        ("Грубит: «иди отсюда» и «не звони сюда».", "Грубит."),
        ("Грубит: «иди отсюда» или «не звони сюда», а потом молчит.", "Грубит, а потом молчит."),
        ("Пишет: «иди отсюда» / «не звони сюда»", "Пишет"),
        ("Слова («иди отсюда», «не звони сюда») грубы.", "Слова грубы."),
        ("Слова («иди отсюда», «Добрый день!») разные.", "Слова («Добрый день!») разные."),
        ("Сказал: «Добрый день!» и «иди отсюда».", "Сказал: «Добрый день!»."),
        ("Сказал, «иди отсюда», и ушёл.", "Сказал, и ушёл."),
        ("Слова: «иди отсюда»; «не звони»; потом тишина", "Слова; потом тишина"),
        ("Слова: «иди отсюда», ; потом тишина", "Слова, потом тишина"),
        ("Пишет «иди отсюда»... потом молчит", "Пишет... потом молчит"),
    ],
)
def test_invented_quotations_leave_clean_sentences(text: str, left: str) -> None:
    assert remove_unverified_quotations(text, transcript()) == left


@pytest.mark.parametrize(
    "quotation",
    [
        "Добрый день… иди отсюда",
        "иди отсюда... готов уступить 500 рублей",
        "готов уступить 5000 рублей",
        "обивка не новая, готов уступить 500 рублей",
        "можно посмотреть сегодня до 21:00",
        "нельзя посмотреть сегодня до 20:00",
    ],
)
def test_quotation_with_another_meaning_is_removed(quotation: str) -> None:
    text = f"Продавец написал «{quotation}»."
    assert remove_unverified_quotations(text, transcript()) == "Продавец написал."


@pytest.mark.parametrize(
    "quotation",
    [
        "Добрый день… готов уступить 500 рублей",
        "...готов уступить 500 рублей...",
        "Добрый день… готовы уступить 500 рублей",
        "обивка ново, готов уступит 500 рублей",
        "можно посмотреть сегодня, до 20:00",
    ],
)
def test_quotation_with_other_letters_or_less_words_stays(quotation: str) -> None:
    text = f"Продавец написал «{quotation}»."
    assert remove_unverified_quotations(text, transcript()) == text


def test_masked_words_are_compared_as_the_model_sees_them() -> None:
    messages = chat(("client", "Марина, 8 916 123-45-67"), ("company", "Марина, наберу"))
    masker = Masker(["Марина"])
    for message in messages:
        masker.mask(message.text)
    verifier = QuoteVerifier(messages, masker)
    kept = "Продавец: «[ИМЯ_1], наберу», покупатель: «[ТЕЛЕФОН_1]»."
    assert remove_unverified_quotations(kept, verifier) == kept
    invented = "Продавец: «[ИМЯ_1], не звоните на [ТЕЛЕФОН_1] никогда»."
    assert remove_unverified_quotations(invented, verifier) == "Продавец."
