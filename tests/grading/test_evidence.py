"""Verification of quotes: only text of the chat is shown, with small repairs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.messages import Side
from app.domain.visible_text import keep_visible
from app.grading.evidence import MAX_QUOTE_LENGTH, Quote, QuoteVerifier, in_sentence
from app.grading.masking.masker import Masker
from tests.support.chats import SOFA, chat

SELLER = {Side.COMPANY}
BUYER = {Side.CLIENT}
LETTERS = st.text(st.sampled_from("абвгёЁД «»—-…,.!?\n ab12"), min_size=1, max_size=60)


def verify_in_sofa_chat(number: int, words: str, sides: set[Side] = SELLER) -> Quote | None:
    return QuoteVerifier(SOFA, Masker([])).verify(number, words, sides)


@pytest.mark.parametrize(
    ("message_text", "quoted", "shown"),
    [
        ("Добрый день!", "Добрый день!", "Добрый день!"),
        ("Добрый день!", "добрый ДЕНЬ", "Добрый день"),
        ("Всё своё, ещё пришлём", "все свое, еще", "Всё своё, ещё"),
        (
            "Цена  окончательная,\nторга нет",
            "цена окончательная, торга нет",
            "Цена  окончательная,\nторга нет",
        ),
        ("Диван «Бергамо» — новый", 'диван "бергамо" - новый', "Диван «Бергамо» — новый"),
        ('Модель "Люкс"', "модель «Люкс»", 'Модель "Люкс'),
        ("Ну… посмотрим", "Ну... посмотрим", "Ну… посмотрим"),
        ("До\u200bбрый\u00a0день", "Добрый день", "Добрый\u00a0день"),
        ("Добрый день, приезжайте", "«Добрый день, приезжайте...»", "Добрый день, приезжайте"),
        ("Да", "Да.", "Да"),
        ("👍", "👍", "👍"),
    ],
)
def test_quote_with_another_spelling_is_shown_as_in_the_chat(
    message_text: str, quoted: str, shown: str
) -> None:
    assert QuoteVerifier(chat(("company", message_text)), Masker([])).verify(
        1, quoted, SELLER
    ) == Quote(101, shown, repaired=False)


@pytest.mark.parametrize(
    ("number", "words", "expected"),
    [
        (
            4,
            "Добрый день!",
            Quote(102, "Добрый день!", repaired=True),
        ),  # another message of the seller's
        (99, "до встречи", Quote(106, "до встречи", repaired=True)),
        (0, "до встречи", Quote(106, "до встречи", repaired=True)),
        (
            4,
            "Обивка новая, готовы уступить 500 рублей",
            Quote(104, "Обивка новая, готов уступить 500 рублей", repaired=True),
        ),
        (
            4,
            "Понимаю... готов уступить 500 рублей",
            Quote(104, "готов уступить 500 рублей", repaired=True),
        ),
        (2, "можно посмотреть сегодн", Quote(102, "можно посмотреть сегодня", repaired=True)),
        (6, "в семь", Quote(106, "в семь", repaired=False)),
    ],
)
def test_quote_with_a_small_fault_is_repaired(number: int, words: str, expected: Quote) -> None:
    assert verify_in_sofa_chat(number, words) == expected


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (2, "Скидок не делаем"),
        (3, "Дороговато для б/у"),  # the buyer's
        (2, ""),
        (2, "..."),
        (2, "«»"),
        (2, " - "),
        (4, "готов уступить 5000 долларов и подарить кресло"),
        (2, "Добрый день! до 20:00"),  # from two ends of the message
    ],
)
def test_quote_that_is_not_in_the_chat_is_dropped(number: int, words: str) -> None:
    assert verify_in_sofa_chat(number, words) is None


def test_part_of_a_word_is_no_quote() -> None:
    transcript = QuoteVerifier(chat(("client", "Недорого!")), Masker([]))
    assert transcript.verify(1, "дорого", BUYER) is None


def test_quote_is_searched_on_the_given_side_only() -> None:
    both = chat(("client", "Хорошо"), ("company", "Хорошо"), ("client", "Спасибо"))
    transcript = QuoteVerifier(both, Masker([]))
    assert transcript.verify(1, "хорошо", SELLER) == Quote(102, "Хорошо", repaired=True)
    assert transcript.verify(1, "хорошо", BUYER) == Quote(101, "Хорошо", repaired=False)
    assert transcript.verify(2, "спасибо", SELLER) is None


def test_words_of_a_bot_are_no_words_of_the_seller() -> None:
    talk = chat(("client", "Есть?"), ("bot", "Мы ответим вам скоро"), ("company", "Да, есть"))
    transcript = QuoteVerifier(talk, Masker([]))
    assert transcript.verify(2, "Мы ответим вам скоро", SELLER) is None
    assert transcript.verify(2, "Да, есть", SELLER) == Quote(103, "Да, есть", repaired=True)


def test_nearest_message_is_quoted() -> None:
    many = chat(*[("company", "Да")] * 3, ("client", "Да?"), ("company", "нет"), ("company", "Да"))
    assert QuoteVerifier(many, Masker([])).verify(5, "да", SELLER) == Quote(
        106, "Да", repaired=True
    )


def test_quote_with_tokens_is_restored_verbatim() -> None:
    messages = chat(
        ("client", "мой +79161234567"), ("company", "Записал: 8 (916) 123-45-67, Марине передам")
    )
    masker = Masker(["Марина"])
    shown = [masker.mask(message.text) for message in messages]
    assert shown[1] == "Записал: [ТЕЛЕФОН_1], [ИМЯ_1] передам"
    quote = QuoteVerifier(messages, masker).verify(2, "Записал: [ТЕЛЕФОН_1], [ИМЯ_1]", SELLER)
    assert quote == Quote(102, "Записал: 8 (916) 123-45-67, Марине", repaired=False)


def test_long_quote_is_cut_at_a_word() -> None:
    text = "очень хороший диван " * 20
    quote = QuoteVerifier(chat(("company", text)), Masker([])).verify(1, text, SELLER)
    assert quote is not None
    assert len(quote.text) <= MAX_QUOTE_LENGTH
    assert text.startswith(quote.text + " ")


@pytest.mark.parametrize(
    ("message_text", "quoted", "shown"),
    [
        (
            "не хамите, не приезжайте, не звоните сюда",
            "хамите, не приезж",
            "не хамите, не приезжайте",
        ),
        ("никогда не приезжайте", "приезжайте", "никогда не приезжайте"),
        ("Нельзя сюда приезжать, мы закрыты", "приезжать", "Нельзя сюда приезжать"),
        ("Без\n«торга», цена такая", "торга», цена", "Без\n«торга», цена"),
    ],
)
def test_quote_includes_its_negation(message_text: str, quoted: str, shown: str) -> None:
    assert QuoteVerifier(chat(("company", message_text)), Masker([])).verify(
        1, quoted, SELLER
    ) == Quote(101, shown, repaired=True)


@pytest.mark.parametrize(
    "message_text",
    [
        "Нет, приезжайте завтра",
        "Не верите — приезжайте",
        "Мне приезжайте",
        "Ни я ни брат её там приезжайте",
    ],
)
def test_quote_excludes_the_negation_of_another_word(message_text: str) -> None:
    assert QuoteVerifier(chat(("company", message_text)), Masker([])).verify(
        1, "приезжайте", SELLER
    ) == Quote(101, "приезжайте", repaired=False)


def test_quote_after_thousands_of_negations_keeps_its_end() -> None:
    quote = QuoteVerifier(chat(("company", f"{'не ' * 3000}приезжайте сюда")), Masker([])).verify(
        1, "приезжайте сюда", SELLER
    )
    assert quote is not None
    assert quote.text.endswith("не приезжайте сюда")


def test_quote_with_a_negation_has_the_same_length_limit() -> None:
    message_text = "не " + "приезжайте к нам " * 20
    quote = QuoteVerifier(chat(("company", message_text)), Masker([])).verify(
        1, message_text[3:122], SELLER
    )
    assert quote is not None
    assert len(quote.text) <= MAX_QUOTE_LENGTH
    assert message_text.startswith(quote.text + " ")


def test_long_quote_of_short_lines_is_cut_at_a_line() -> None:
    message_text = "\n".join(["диван"] * 40)
    quote = QuoteVerifier(chat(("company", message_text)), Masker([])).verify(
        1, message_text, SELLER
    )
    assert quote is not None
    assert message_text.startswith(quote.text + "\n")


@pytest.mark.parametrize(
    ("text", "words", "shown"),
    [
        ("Добрый день! Диван продан.", "Добрый день!", "Добрый день!"),
        ("Добрый день! Диван продан.", "Диван продан", "Диван продан"),
        ("Добрый день! Диван продан.", "день! Диван", "…день! Диван…"),
        ("Диван продан\nДоставки нет", "Доставки нет", "Доставки нет"),
        ("👍 приезжайте :)", "приезжайте", "приезжайте"),
        ("Звоните, только завтра", "Звоните", "Звоните…"),
        ("Дайте знать, я на месте. Да", "Да", "Да"),
        ("Цена 5.000 рублей", "Цена 5", "Цена 5…"),
        ("Цена 5.000 рублей", "000 рублей", "…000 рублей"),
        ("Исправлено с тех пор", "Цена 5", "Цена 5"),
    ],
)
def test_cut_sentence_is_marked_by_an_ellipsis(text: str, words: str, shown: str) -> None:
    assert in_sentence(words, text) == shown


@given(st.lists(LETTERS, min_size=1, max_size=4), st.data())
def test_whole_words_of_a_message_are_always_found(texts: list[str], data: st.DataObject) -> None:
    """The words are found in another spelling too, and are shown as in the message."""
    number = data.draw(st.integers(1, len(texts)))
    words = keep_visible(texts[number - 1]).split()
    if not words or not any(char.isalnum() for word in words for char in word):
        return
    quoted = " ".join(words).upper().replace("Ё", "Е").replace("—", "-").replace("«", '"')
    quote = QuoteVerifier(chat(*(("company", text) for text in texts)), Masker([])).verify(
        number, quoted, SELLER
    )
    assert quote is not None
    assert quote.message_id == 100 + number
    assert not quote.repaired
    assert quote.text in keep_visible(texts[number - 1])


@given(LETTERS, LETTERS)
def test_shown_quote_is_part_of_the_message(message_text: str, quoted: str) -> None:
    quote = QuoteVerifier(chat(("company", message_text)), Masker([])).verify(1, quoted, SELLER)
    assert quote is None or quote.text in keep_visible(message_text)
