"""Masking of names in every case and alphabet. Ordinary words are kept, also as nicknames."""

import pytest

from app.grading.masking.known_names import MAX_NAME_LENGTH, MAX_PEOPLE
from app.grading.masking.masker import Masker

SELLER_MESSAGES = (
    "Добрый день! Да, доставка не делаем, это важно. Просто приходите: диван, "
    "кресло и шкаф в магазине, мастер соберёт сам.",
    "Привет! Нет, скидки не будет. Пользователь удалил, покупатель нашёлся, "
    "солнце светит, кот в доме есть. Спасибо, всего хорошего.",
)


@pytest.mark.parametrize(
    "nickname",
    [
        *(
            "Не важно",
            "Да",
            "Нет",
            "Диван",
            "Привет",
            "Просто",
            "Пользователь",
            "Покупатель",
            "Солнце",
            "Кот",
            "Мастер",
            "Сам",
            "Доставка",
        ),
        *(
            "Магазин",
            "Добрый день",
            "Спасибо",
            "Всего хорошего",
            "Скидка",
            "Это",
            "Не делаем",
            "доставка",
            "ШКАФ",
            "Кресло Диван",
        ),
    ],
)
def test_nickname_that_is_an_ordinary_word_masks_nothing(nickname: str) -> None:
    masker = Masker([nickname], SELLER_MESSAGES)
    assert [masker.mask(text) for text in SELLER_MESSAGES] == list(SELLER_MESSAGES)


@pytest.mark.parametrize(
    "word", ["доставка", "никак", "Доставка", "просто", "завтра", "не надо", "Диван"]
)
def test_ordinary_word_after_an_introduction_is_kept(word: str) -> None:
    text = f"меня зовут {word}, шучу"
    assert Masker([], [text]).mask(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Ашот Мкртчян приедет", "[ИМЯ_1] приедет"),
        ("Скажите Ашоту Мкртчяну", "Скажите [ИМЯ_1]"),
        ("получатель Наталья Викторовна С., сбер", "получатель [ИМЯ_1], сбер"),
        ("Перевод на имя Гульмира К.", "Перевод на имя [ИМЯ_1]"),
        ("с уважением, Ю. В. Толмачёва", "с уважением, [ИМЯ_1]"),
        ("это Lena Petrova, добрый день", "это [ИМЯ_1], добрый день"),
        ("Гасан Мамед оглы примет", "[ИМЯ_1] примет"),
        ("ИП Кравцова Елена Петровна", "[ИМЯ_1]"),
        ("с Викусей созвонитесь", "с [ИМЯ_1] созвонитесь"),
    ],
)
def test_name_is_masked_completely(text: str, masked: str) -> None:
    assert Masker([], [text]).mask(text) == masked


def test_all_spellings_of_a_known_name_have_one_token() -> None:
    texts = [
        "Дмитрий, добрый день",
        "дима, вы где?",
        "скажите Диме",
        "Dmitry, hello",
        "с Дмитрием Орловым",
    ]
    masker = Masker(["Дмитрий Орлов"], texts)
    assert [masker.mask(text) for text in texts] == [
        "[ИМЯ_1], добрый день",
        "[ИМЯ_1], вы где?",
        "скажите [ИМЯ_1]",
        "[ИМЯ_1], hello",
        "с [ИМЯ_1]",
    ]


def test_product_name_is_kept() -> None:
    for text in (
        "кухня Мария Модерн",
        "диван Петр угловой",
        "книга Анна Каренина",
        "духи Шанель",
        "роман Толстого",
        "матрас Аскона Виктория",
    ):
        assert Masker([], [text]).mask(text) == text


def test_length_and_number_of_names_are_limited() -> None:
    long_name = "Аршалуйс " * MAX_NAME_LENGTH
    assert Masker([long_name], ["привет"]).mask("Аршалуйс, привет") == "[ИМЯ_1], привет"
    surnames = [
        f"{first}{second}{third}иридзе"
        for first in "БВГДЖЗ"
        for second in "аеиоу"
        for third in "бвгджзклмн"
    ]
    texts = [f"получатель {surname}" for surname in surnames]
    masker = Masker([], texts)
    assert len(surnames) > MAX_PEOPLE
    assert all(
        masker.mask(text) == f"получатель [ИМЯ_{number}]"
        for number, text in enumerate(texts, start=1)
    )
