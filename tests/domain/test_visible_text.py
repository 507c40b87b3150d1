"""Invisible characters are removed; visible ones and emoji stay."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.visible_text import keep_visible


@pytest.mark.parametrize(
    ("dirty", "expected"),
    [
        ("О\u200bц\u200dе\u2060н\ufeffк\u00adа", "Оценка"),
        ("\u202eьтсоборг\u202c", "ьтсоборг"),
        ("\u2066а\u2069\u200e\u200f\u061c", "а"),
        ("а\x00б\x07в\x7f\x9b", "абв"),
        ("а\tб", "а б"),
        ("а\r\nб\rв\u2028г\u2029д\x85е\x0bж", "а\nб\nв\nг\nд\nе\nж"),
        ("и\u0306", "й"),
        ("\ud83d", ""),
        ("а\udc00б", "аб"),
        ("\U000e0041\U000e0042скрыто", "скрыто"),
        ("а\ufe01\U000e0101б", "аб"),
        ("\ue000\ufffe\ufdd0\U0001ffff", ""),
        ("\u3164\u2800\u115f", ""),
        ("б/у «диван» — 5 ₽", "б/у «диван» — 5 ₽"),
        ("👨‍👩‍👧 👍🏽 ❤️ 8️⃣ 🏳️‍🌈", "👨‍👩‍👧 👍🏽 ❤️ 8️⃣ 🏳️‍🌈"),
        ("а\u200d👍", "а👍"),
        ("а\ufe0f", "а"),
        ("", ""),
    ],
)
def test_invisible_characters_are_removed(dirty: str, expected: str) -> None:
    assert keep_visible(dirty) == expected


@given(st.text(st.characters(exclude_categories=[])))
def test_result_is_storable_and_normalized(text: str) -> None:
    cleaned = keep_visible(text)
    cleaned.encode("utf-8")
    assert not set(map(unicodedata.category, cleaned.replace("\n", ""))) & {"Cc", "Cs", "Co"}
    assert cleaned.splitlines() == cleaned.removesuffix("\n").split("\n") or not cleaned
    assert unicodedata.is_normalized("NFC", cleaned)
    assert keep_visible(cleaned) == cleaned
