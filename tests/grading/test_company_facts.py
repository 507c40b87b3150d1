"""The file of the company's facts: normalized, limited, refused with one line."""

from pathlib import Path

import pytest

from app.adapters import read_company_facts
from app.errors import SettingsError
from app.grading.company_facts import MOST_CHARACTERS, load_company_facts, normalize_facts
from tests.support.stage import stage_settings


def test_text_is_normalized() -> None:
    assert (
        normalize_facts("\ufeff Доставка\u00a0 500 ₽ \r\n\r\n\r\n\r\n\tСборка\u200b 900 ₽\n\n")
        == "Доставка 500 ₽\n\nСборка 900 ₽"
    )


def test_no_file_is_an_empty_text() -> None:
    assert load_company_facts(None) == ""


def test_limit_is_counted_after_normalizing(tmp_path: Path) -> None:
    path = tmp_path / "facts.txt"
    path.write_text("я" * MOST_CHARACTERS + " \n" * 50, encoding="utf-8")
    assert len(load_company_facts(path)) == MOST_CHARACTERS


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("я" * (MOST_CHARACTERS + 1), f"{MOST_CHARACTERS + 1} знаков, а можно до"),
        ("Доставка".encode("cp1251"), "не в UTF-8"),
        (" \n\u200b\n", "пуст"),
        (None, "не читается"),
    ],
)
def test_unusable_file_is_refused_with_one_line(
    tmp_path: Path, content: str | bytes | None, words: str
) -> None:
    path = tmp_path / "facts.txt"
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    settings = stage_settings(None, {}, company_facts_file=path)
    with pytest.raises(SettingsError) as caught:
        read_company_facts(settings)
    assert caught.value.message.startswith("COMPANY_FACTS_FILE: ")
    assert words in caught.value.message
    assert "\n" not in caught.value.message
