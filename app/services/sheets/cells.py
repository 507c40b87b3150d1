"""Columns and cells of a sheet, and the limits of Excel for them."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


class Link(NamedTuple):
    """A cell that links to another page of the file; ``row`` counts from 1, as Excel does."""

    text: str
    page: str
    row: int


Cell = str | float | datetime | Link | None
"""The content of a cell.

An aware moment is shown as local time with its offset, because Excel has no time zones.
"""

_REFUSED = re.compile("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
"""Characters that XML 1.0 cannot contain, carriage returns, and those that reverse text."""
_MAX_UNITS = 32_767
"""Excel's limit for the text of a cell, in UTF-16 units."""
LINE_POINTS, _MAX_LINES = 15, 27
"""The height of a line of Calibri 11, and how many lines fit into Excel's 409 points for a row."""
_WORD_WRAP = 1.1
"""Lines break between words, so a text needs about a tenth more space than its length."""


class Choices(NamedTuple):
    """The words that a cell may contain, and the error that Excel shows for any other."""

    words: Sequence[str]
    error_title: str
    error: str


@dataclass(frozen=True)
class Column:
    """A column of a page.

    ``width``: in characters. ``wrapped``: long text continues on the next line. ``colours``: the
    background of a cell, as ``#RRGGBB``, by the word in it.
    """

    heading: str
    width: int
    wrapped: bool = False
    centred: bool = False
    colours: tuple[tuple[str, str], ...] = ()
    choices: Choices | None = None


def count_lines(columns: Sequence[Column], row: Sequence[Cell]) -> int:
    """Estimate the number of lines of the longest text in a row."""
    texts = [
        (column.width, cell)
        for column, cell in zip(columns, row, strict=True)
        if column.wrapped and isinstance(cell, str)
    ]
    counts = (
        sum(math.ceil(len(line) * _WORD_WRAP / width) or 1 for line in text.split("\n"))
        for width, text in texts
    )
    return min(max(counts, default=1), _MAX_LINES)


def keep_as_text(text: str) -> str:
    """Return the text with a space at its end if XlsxWriter would copy it into the file as XML."""
    return text + " " if text.startswith("<r>") and text.endswith("</r>") else text


def fit_text(text: str) -> str:
    """Return the text as a cell can contain it. A truncated text ends in «…»."""
    if not text.isprintable():  # a quick test that nearly every text passes
        text = _REFUSED.sub("", text)
    if len(text) * 2 <= _MAX_UNITS:
        return text
    units = text.encode("utf-16-le")
    return (
        text
        if len(units) <= 2 * _MAX_UNITS
        else units[: 2 * _MAX_UNITS - 2].decode("utf-16-le", "ignore") + "…"
    )
