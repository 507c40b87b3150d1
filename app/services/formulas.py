"""Texts that a spreadsheet would take for a formula: how they are known, and how a CSV says that
they are texts.
"""

import re

_FORMULA_LIKE = re.compile(
    "'*(?:[\t\r]|[\\s\x00-\x1f\u00ad\u200b-\u200f\u2060\ufeff]*[=+\\-@＝＋－＠﹦﹢﹣﹫])"
)
"""Excel, LibreOffice and Google read a cell as a formula by its first character, past blanks and in
full width, too.
"""


def is_formula_like(text: str) -> bool:
    """Whether a spreadsheet might take the text for a formula: it begins with ``= + - @``, a tab or
    a carriage return.
    """
    return _FORMULA_LIKE.match(text) is not None


def guarded(text: str) -> str:
    """The text with an apostrophe before what looks like a formula.

    An apostrophe that stands there already gets another one, so that ``unguarded`` gives back each
    text to the letter.
    """
    return "'" + text if is_formula_like(text) else text


def unguarded(text: str) -> str:
    """The text that was guarded."""
    return text[1:] if text.startswith("'") and is_formula_like(text) else text
