"""Copies of one text are equal, other texts are not; the listed texts and their gaps."""

import pytest

from app.domain.reply_texts import ListedTexts, hash_reply, normalize_reply

WHOLE = normalize_reply("Здравствуйте! Спасибо за сообщение. Ответим сегодня до 18:00.")


@pytest.mark.parametrize(
    "text",
    [
        "здравствуйте спасибо за сообщение ответим сегодня до 18:00",
        "Здравствуйте, Анна! Спасибо за сообщение.\nОтветим завтра до 9:30!",
        "Анна, здравствуйте! Спасибо за сообщение. Ответим сегодня до 18.00 🙂",
        "Добрый день, Анна Петровна! Спасибо за сообщение. Ответим сегодня до 18:00.",
        "Доброе утро! Спасибо за сообщение, Анна. Ответим в\u00a0понедельник до 18:00.",
        "Здравствуйте, anna_1999! Спасибо за сообщение. Ответим сегодня до 18:00.",
    ],
)
def test_copies_of_a_text_are_equal(text: str) -> None:
    normalized = normalize_reply(text, names=("Анна", "anna_1999"))
    assert normalized.replace(" в #", " #") == WHOLE


@pytest.mark.parametrize(
    "text",
    [
        "Здравствуйте! Спасибо за заказ. Ответим сегодня до 18:00.",
        "Спасибо за сообщение. Ответим сегодня до 18:00.",
        "Здравствуйте! Спасибо за сообщение.",
    ],
)
def test_other_texts_differ(text: str) -> None:
    assert normalize_reply(text) != WHOLE


def test_title_of_the_listing_may_vary() -> None:
    titles = "Диван угловой «Бергамо», 2018", "BMW X5 3.0"
    texts = [f"Спасибо за интерес к объявлению {title}! Мы ответим." for title in titles]
    keys = {normalize_reply(text, title=title) for text, title in zip(texts, titles, strict=True)}
    assert keys == {"спасибо за интерес к объявлению # мы ответим"}
    texts = [f"Спасибо за интерес к объявлению «{title}»! Мы ответим." for title in titles]
    within = {normalize_reply(text, title=title) for text, title in zip(texts, titles, strict=True)}
    assert within == keys, "quotation marks may be inside quotation marks"
    quoted = [f"Спасибо за интерес к «{words}»! Мы ответим." for words in ("дивану", "BMW")]
    assert len(set(map(normalize_reply, quoted))) == 1


@pytest.mark.parametrize("text", ["", "!!!", "🙂🙂", "\u200b", "12 000", "+7 999 111-22-33", "42"])
def test_text_without_words_has_no_template(text: str) -> None:
    assert normalize_reply(text) == ""


@pytest.mark.parametrize("text", ["Меня зовут Анна, отвечу позже.", "Ответим. С уважением, Анна"])
def test_name_of_the_seller_may_be_the_buyers(text: str) -> None:
    assert normalize_reply(text, names=("Анна",)) == normalize_reply(text, names=("Пётр",))


@pytest.mark.parametrize("title", ["Диван", "Спасибо", "а"])
def test_single_word_of_a_title_may_be_any_word(title: str) -> None:
    text = "Спасибо! Диван, стол и шкаф в наличии, а стулья под заказ."
    assert normalize_reply(text, title=title) == normalize_reply(text)


def test_key_depends_on_the_account() -> None:
    assert hash_reply(1, WHOLE) != hash_reply(2, WHOLE)
    assert hash_reply(1, WHOLE) == hash_reply(1, WHOLE)
    assert all(abs(hash_reply(number, WHOLE)) < 2**63 for number in range(50))


LISTED = ListedTexts(
    (
        "Здравствуйте, {имя}! Мы получили ваш вопрос о {товар} и ответим до {время}.",
        r"Мы закрыты.\nПишите завтра",
        "{всё}",
    )
)


@pytest.mark.parametrize(
    ("text", "is_listed"),
    [
        ("Здравствуйте, Анна! Мы получили ваш вопрос о диване и ответим до 18:00.", True),
        ("Добрый вечер! Мы получили ваш вопрос о большом угловом диване и ответим до утра", True),
        ("Мы закрыты.\nПишите сегодня", True),
        ("Мы закрыты", False),
        ("Мы закрыты. Пишите завтра или звоните", False),
        ("Здравствуйте! Мы получили ваш вопрос и ответим до 18:00.", False),
        ("Здравствуйте! Мы получили ваш вопрос о " + "диване " * 20 + "и ответим до 18", False),
        ("Совсем другое", False),
    ],
)
def test_listed_text_may_have_gaps(text: str, is_listed: bool) -> None:
    assert LISTED.contains(normalize_reply(text)) is is_listed


def test_line_without_words_lists_nothing() -> None:
    lines = ("{имя}", "{имя}, {цена} 500!", "{имя}, мы закрыты", "🙂", "8-18")
    listed = ListedTexts(lines)
    assert listed.without_words == ("{имя}", "{имя}, {цена} 500!", "🙂", "8-18")
    assert not listed.contains(normalize_reply("Цена 5 000"))
    assert listed.contains(normalize_reply("Анна, мы закрыты"))


def test_digest_changes_with_the_texts_and_not_with_their_order() -> None:
    assert ListedTexts().digest == ""
    assert ListedTexts(("а", "б")).digest == ListedTexts(("б", "а", "а")).digest
    assert ListedTexts(("а",)).digest != ListedTexts(("б",)).digest
    assert len(LISTED.digest) == 16
