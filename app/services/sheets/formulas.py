"""Detect texts that a spreadsheet would interpret as a formula, and escape them for CSV."""

import re

_FORMULA_LIKE = re.compile(
    "'*(?:[\t\r]|[\\s\x00-\x1f\u00ad\u200b-\u200f\u2060\ufeff]*[=+\\-@＝＋－＠﹦﹢﹣﹫])"
)
"""Excel, LibreOffice and Google decide by the first character of a cell.

They skip blanks before it and accept its full-width forms.
"""


def is_formula_like(text: str) -> bool:
    """Return whether a text begins with ``= + - @``, a tab or a carriage return."""
    return _FORMULA_LIKE.match(text) is not None


def escape_formula(text: str) -> str:
    """Put an apostrophe before a text that looks like a formula.

    A text that has an apostrophe there already gets another one, so that ``unescape_formula``
    returns every text unchanged.
    """
    return "'" + text if is_formula_like(text) else text


def unescape_formula(text: str) -> str:
    """Return the text that ``escape_formula`` was called with."""
    return text[1:] if text.startswith("'") and is_formula_like(text) else text
