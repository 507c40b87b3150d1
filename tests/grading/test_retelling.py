"""Summaries and advice in words for people.

Quotations are shown as in the chat. Of personal data only names are restored.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.messages import ChatMessage
from app.grading.evidence import QuoteVerifier
from app.grading.masking.masker import Masker, Masking
from app.grading.retelling import Retelling
from tests.support.chats import MOSCOW, chat

PHONE = "8 916 123-45-67"
WINDOW = chat(
    ("client", "Добрый день, я от Марины. Передайте Марине, что приеду"),
    ("company", f"Мой номер {PHONE}, звоните Марине. Адрес: ул. Ленина, д. 5, кв. 12"),
    ("client", "Вы видели сообщение 2? «Диван для Марины» ещё есть... или Марину кто-то опередил"),
    ("company", "Нет, Марине не отдам! Пишите: ivan@mail.ru"),
)


def retell(
    text: str, near: int = 1, window: list[ChatMessage] = WINDOW, level: Masking = Masking.ON
) -> str:
    masker = Masker(["Марина"], [message.text for message in window], level=level)
    return Retelling(window, masker, QuoteVerifier(window, masker), MOSCOW).in_words(text, near)


@pytest.mark.parametrize(
    ("message_text", "expected"),
    [
        (
            "[ИМЯ_1] просила: «передайте [ИМЯ_1], что приеду».",
            "Марина просила: «передайте Марине, что приеду».",
        ),
        ('Клиент: "я от [ИМЯ_1]"', 'Клиент: "я от Марины"'),
        ("Клиент: “я от [ИМЯ_1]”", "Клиент: “я от Марины”"),
        ("«Диван для [ИМЯ_1]» и «[ИМЯ_1] не отдам!»", "«Диван для Марины» и «Марине не отдам!»"),
        ("Клиент: ««Диван для [ИМЯ_1]» ещё есть»", "Клиент: ««Диван для Марины» ещё есть»"),
        ("«я от [ИМЯ_1]… или [ИМЯ_1] кто-то»", "«я от Марины… или Марину кто-то»"),
        (
            "«Диван для [ИМЯ_1]» ещё есть... или [ИМЯ_1] кто-то опередил»",
            "«Диван для Марины» ещё есть... или Марина кто-то опередил»",
        ),
        ("«[ИМЯ_1] придёт завтра»", "«Марина придёт завтра»"),
        ("«[ИМЯ_7] придёт», ждёт [ИМЯ_7]", "«[имя] придёт», ждёт имя"),
    ],
)
def test_quoted_name_is_spelled_as_in_the_quoted_message(message_text: str, expected: str) -> None:
    assert retell(message_text) == expected


def test_name_is_spelled_as_in_the_message_that_the_advice_is_about() -> None:
    assert retell("«[ИМЯ_1]»", near=1) == "«Марины»"
    assert retell("«[ИМЯ_1]»", near=4) == "«Марине»"


@pytest.mark.parametrize(
    ("message_text", "expected"),
    [
        (
            "Продавец дал [ТЕЛЕФОН_1]: «мой номер [ТЕЛЕФОН_1]»",
            "Продавец дал телефон: «мой номер [телефон]»",
        ),
        ("«звоните по [ТЕЛЕФОН_1]»", "«звоните по [телефон]»"),
        ("«Мой номер [ТЕЛЕФОН_1], звоните [ИМЯ_1]»", "«Мой номер [телефон], звоните Марине»"),
        ("«Адрес: [АДРЕС_1]»", "«Адрес: [адрес]»"),
        ("«Пишите: [ПОЧТА_1]»", "«Пишите: [почта]»"),
        (f"«Мой номер {PHONE}», то есть {PHONE}", "«Мой номер [телефон]», то есть телефон"),
        ("паспорт «4509 123456»", "паспорт «[паспорт]»"),
    ],
)
def test_other_masked_data_in_quotations_is_a_word_in_brackets(
    message_text: str, expected: str
) -> None:
    assert retell(message_text) == expected


@pytest.mark.parametrize(
    ("message_text", "expected"),
    [
        (
            "В сообщении 2 продавец дал [ТЕЛЕФОН_1].",
            "В сообщении от 22.11 в 12:05 продавец дал телефон.",
        ),
        ("Сообщение [ИМЯ_1] № 3", "Сообщение Марина от 22.11 в 12:10"),
        (
            "Клиент: «Вы видели сообщение 2?» (сообщение 3)",
            "Клиент: «Вы видели сообщение 2?» (сообщение от 22.11 в 12:10)",
        ),
        ("«Сообщение 4 осталось без ответа»", "«Сообщение от 22.11 в 12:15 осталось без ответа»"),
        ("Сообщение 5", "Сообщение 5"),
        (
            "сообщение от 22.11 в 12:05, 22.11 12:05, 2026-11-22 12:05",
            "сообщение от 22.11 в 12:05, 22.11 12:05, 2026-11-22 12:05",
        ),
    ],
)
def test_message_numbers_become_times_except_in_quotations(
    message_text: str, expected: str
) -> None:
    assert retell(message_text) == expected
    assert retell(expected) == expected


def test_without_masking_only_numbers_change() -> None:
    message_text = f"Марина, {PHONE}: «[ТЕЛЕФОН_1]» и [ИМЯ_1], сообщение 1"
    assert (
        retell(message_text, level=Masking.OFF)
        == f"Марина, {PHONE}: «[ТЕЛЕФОН_1]» и [ИМЯ_1], сообщение от 22.11 в 12:00"
    )


def test_strictly_masked_words_are_restored_in_quotations() -> None:
    window = chat(("client", "Добрый день, едем в Белгород за 350 000"), ("company", "Хорошо"))
    assert (
        retell("«едем в [СЛОВО_1] за [СЛОВО_2]»", window=window, level=Masking.STRICT)
        == "«едем в Белгород за 350 000»"
    )


QUOTES = ["«", "»", '"', "“", "„", "…"]
TOKENS = ["[ИМЯ_1]", "[ТЕЛЕФОН_1]", "телефон_1", "[ПОЧТА_1]", "[АДРЕС_2]"]
PIECES = [*QUOTES, *TOKENS, "я от ", "Мой номер ", "сообщение 2", " ", "а"]


@given(st.lists(st.sampled_from(PIECES)).map("".join), st.integers(-5, 300))
def test_personal_data_is_not_restored_in_any_mixture(text: str, near: int) -> None:
    shown = retell(text, near)
    assert not any(datum in shown for datum in (PHONE, "916", "Ленина", "ivan"))
    assert not any(token in shown for token in ("ИМЯ_1", "ТЕЛЕФОН_1", "АДРЕС_2"))


@pytest.mark.parametrize(
    "part",
    ["«", "»", '"', "«[ИМЯ_1]»", "«а»", "“", "«я от [ИМЯ_1]» ", "…", "«сообщение 2»", '"[ИМЯ_1]" '],
)
def test_hostile_answer_is_processed_in_time(part: str) -> None:
    """A text of an answer has at most two thousand characters."""
    long = chat(*(("client", f"я от Марины, она просила {place} " * 10) for place in range(200)))
    retell(part * (2_000 // len(part)), window=long)


@pytest.mark.parametrize("level", [Masking.ON, Masking.OFF])
def test_foreign_web_addresses_become_words(level: Masking) -> None:
    """Written or spoken addresses, of the model or of a quoted person."""
    assert (
        retell("Платите на evil.space/pay или evil точка ру.", level=level)
        == "Платите на ссылка или ссылка."
    )
    assert (
        retell("Продавец: «пишите на evil.click/x»", level=level)
        == "Продавец: «пишите на [ссылка]»"
    )


def test_avito_addresses_and_product_names_are_kept() -> None:
    message_text = "Адрес avito.ru/moskva в силе, iPhone 13.Pro и ООО.Ромашка тоже"
    assert retell(message_text, level=Masking.OFF) == message_text
