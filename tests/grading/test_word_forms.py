"""Forms of a word."""

import pytest

from app.grading.word_forms import has_forms


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("дороговатой", True),
        ("дорого", False),
        ("недороговато", False),
        ("обивкой", True),
        ("обивщик", False),
        ("новой", False),
        ("дороговатой скидки", False),
        ("12345", True),
        ("123456", False),
        ("", False),
    ],
)
def test_forms_share_at_least_five_letters(words: str, *, expected: bool) -> None:
    assert has_forms(words, ["Слишком дороговато", "Обивка нова, 12345"]) is expected
