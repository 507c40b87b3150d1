"""The company's facts: a text that the model and the search for contradictions compare with."""

import re
from pathlib import Path

from app.domain.visible_text import keep_visible

MOST_CHARACTERS = 8_000

_BLANKS = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n{3,}")


class CompanyFactsError(ValueError):
    """The file of the facts cannot be used; the Russian message names the file."""


def load_company_facts(path: Path | None) -> str:
    """Return the normalized text of the file; an empty text without a file.

    Raises:
        CompanyFactsError: the file cannot be read, is not UTF-8, is empty or too long.
    """
    if path is None:
        return ""
    try:
        text = normalize_facts(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise CompanyFactsError(f"файл {path} не читается: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise CompanyFactsError(
            f"файл {path} не в UTF-8: сохраните его в этой кодировке."
        ) from None
    if not text:
        raise CompanyFactsError(f"файл {path} пуст: впишите сведения или уберите настройку.")
    if len(text) > MOST_CHARACTERS:
        raise CompanyFactsError(
            f"в файле {path} {len(text)} знаков, а можно до {MOST_CHARACTERS}: сократите его."
        )
    return text


def normalize_facts(text: str) -> str:
    """Return the visible text with single blanks, at most one empty line and no blank ends."""
    visible = keep_visible(text.replace("\r\n", "\n"))
    lines = "\n".join(line.strip() for line in _BLANKS.sub(" ", visible).split("\n"))
    return _BLANK_LINES.sub("\n\n", lines).strip()
