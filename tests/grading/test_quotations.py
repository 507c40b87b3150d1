"""Quotations in the model's texts: verified, stripped of their marks, or removed."""

import pytest

from app.grading.evidence import QuoteVerifier
from app.grading.masking.masker import Masker
from app.grading.quotations import check_quotations
from tests.support.chats import SOFA, chat

REST = "Потом договорились."


def check(text: str) -> tuple[str, bool]:
    """The text that is left on the chat about the sofa, and whether it is flagged."""
    checked = check_quotations(text, QuoteVerifier(SOFA, Masker([])))
    return checked.text, checked.has_unverified


@pytest.mark.parametrize(
    "text",
    [
        "Продавец поздоровался: «Добрый день!» — и назвал время.",
        "Продавец ответил «готов уступить 500 рублей».",
        "Покупатель счёл цену высокой: «дороговато для Б/У».",
        "Продавец ответил: «обивка новая, готов уступить 500 рублей».",
        "Обещал скидку («Понимаю… готов уступить 500 рублей»).",
        'Экран 15" и 17" не обсуждали.',
        "Текст без кавычек.",
    ],
)
def test_quotations_of_the_chat_stay(text: str) -> None:
    assert check(text) == (text, False)


@pytest.mark.parametrize("quoted", ["'Обивка новая'", "“обивка новая”", '"обивка новая"'])
def test_verified_quotation_stands_in_russian_marks(quoted: str) -> None:
    assert check(f"Продавец сказал {quoted} и ждёт.") == (
        f"Продавец сказал «{quoted[1:-1]}» и ждёт.",
        False,
    )


@pytest.mark.parametrize(
    "text",
    [
        "Продавец нагрубил: «иди отсюда прямо сейчас».",
        "Продавец написал «иди отсюда» и ушёл.",
        "Продавец ответил 'иди отсюда' и ушёл.",
        "Продавец послал покупателя на «хутор».",
        "Назвал покупателя очень грубо «дурак».",
        "Продавец сказал, что покупатель «дурак».",
        "Продавец: «дурак».",
        "«Иди отсюда», написал продавец.",
        "«Иди отсюда» — так ответил продавец.",
        "Покупатель спросил «почём диван», ему ответили.",
        "Продавец нагрубил (сказал «иди отсюда»), потом извинился.",
        "Сказал: «Добрый день!» и «иди отсюда».",
        "Сказал «…» и ушёл.",
        "Речь шла о «скидке в 700 рублей».",
        "Продавец назвал цену «45 000».",
        "Словами «иди отсюда!» он закончил.",
        "Товар «Айфон 13» не обсуждали.",
        "Продавец ответил на «слишком дорого» доводом.",
        "После слов «слишком дорого» продавец молчал.",
        "Фраза покупателя «слишком дорого» осталась без ответа.",
        "Вопрос «почём» остался без ответа.",
    ],
)
def test_sentence_with_an_invented_quotation_is_removed(text: str) -> None:
    assert check(text) == ("", True)
    assert check(f"{REST} {text} {REST}") == (f"{REST} {REST}", True)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Продавец обращался на «вы» вежливо.", "Продавец обращался на вы вежливо."),
        ("Ответил на вопрос, говорил на «ты».", "Ответил на вопрос, говорил на ты."),
        ("Покупатель обратился в «Авито».", "Покупатель обратился в Авито."),
        ("Продавец ответил в «Авито» сразу.", "Продавец ответил в Авито сразу."),
        ("Речь о товаре 'Айфон Про'.", "Речь о товаре Айфон Про."),
        ("Пометка «где?» осталась, и всё.", "Пометка где осталась, и всё."),
        ("Итог «высокий».", "Итог высокий."),
    ],
)
def test_short_quotation_by_nobody_loses_its_marks(text: str, left: str) -> None:
    assert check(text) == (left, False)


def test_three_words_are_too_many_to_lose_only_their_marks() -> None:
    assert check("Итог «очень высокий уровень».") == ("", True)


@pytest.mark.parametrize(
    "text",
    [
        "Цена показалась «дороговатой».",
        "Покупатель назвал цену «дороговатой».",
        "Продавец хвалил «обивку».",
        "Продавец хвалил «обивку» и «В НАЛИЧИИ».",
    ],
)
def test_inflected_words_of_the_chat_are_verified(text: str) -> None:
    assert check(text) == (text, False)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (
            "Отвечал грубо. Сказал «иди отсюда!» Покупатель ушёл.",
            "Отвечал грубо. Покупатель ушёл.",
        ),
        ("Жил на ул. Ленина. Сказал «иди отсюда».", "Жил на ул. Ленина."),
        ("Сказал на ул. Ленина «иди отсюда». Ждёт.", "Ждёт."),
        ("Ждёт… Сказал: «Иди. Отсюда. Сейчас». Ушёл?", "Ждёт… Ушёл?"),
        ("Ответил: «Добрый день! В наличии». Сказал «иди».", "Ответил: «Добрый день! В наличии»."),
        ("Цена 4.5 тыс. руб. за всё, «иди ты отсюда». Ушёл", "Ушёл"),
    ],
)
def test_only_sentences_with_invented_quotations_go(text: str, left: str) -> None:
    assert check(text) == (left, True)


def test_unbalanced_mark_is_flagged_even_if_the_words_are_verified() -> None:
    assert check("Продавец сказал «Обивка новая.") == ("Продавец сказал «Обивка новая».", True)
    assert check(f"Продавец сказал «иди отсюда. {REST}") == (REST, True)
    assert check(f"Сказал иди» и ждёт. {REST}") == (f"Сказал иди и ждёт. {REST}", True)


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
    assert check(f"Продавец написал «{quotation}».") == ("", True)


@pytest.mark.parametrize(
    ("quotation", "shown"),
    [
        ("Добрый день… готов уступить 500 рублей", "Добрый день… готов уступить 500 рублей"),
        ("...готов уступить 500 рублей...", "...готов уступить 500 рублей..."),
        ("Добрый день… готовы уступить 500 рублей", "Добрый день… готов уступить 500 рублей"),
        ("обивка ново, готов уступит 500 рублей", "Обивка новая, готов уступить 500 рублей"),
        ("можно посмотреть сегодня, до 20:00", "можно посмотреть сегодня до 20:00"),
    ],
)
def test_quotation_with_other_letters_or_less_words_is_that_of_the_chat(
    quotation: str, shown: str
) -> None:
    assert check(f"Продавец написал «{quotation}».") == (f"Продавец написал «{shown}».", False)


def test_masked_words_are_compared_as_the_model_sees_them() -> None:
    messages = chat(("client", "Марина, 8 916 123-45-67"), ("company", "Марина, наберу"))
    masker = Masker(["Марина"])
    for message in messages:
        masker.mask(message.text)
    verifier = QuoteVerifier(messages, masker)
    kept = "Продавец: «[ИМЯ_1], наберу», покупатель: «[ТЕЛЕФОН_1]»."
    assert check_quotations(kept, verifier).text == kept
    invented = "Продавец: «[ИМЯ_1], не звоните на [ТЕЛЕФОН_1] никогда»."
    assert check_quotations(invented, verifier).text == ""
