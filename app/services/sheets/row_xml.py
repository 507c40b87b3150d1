"""The XML of a sheet's rows, with texts in the cells.

XlsxWriter takes 15 µs for a cell, of which its checks of the arguments take most. These functions
take a tenth and get only values that are known to be valid.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from xml.sax.saxutils import escape

_DAY_0 = datetime(1899, 12, 30)  # noqa: DTZ001 - Excel's times have no zone
"""The day 0 of Excel's calendar for dates from March 1900 on."""
_SECONDS_OF_DAY = 24 * 60 * 60
_ESCAPE_LIKE = re.compile(r"_(?=x[0-9a-fA-F]{4}_)")
"""Excel reads ``_x000D_`` as a carriage return."""


def encode_row(number: int, cells: Iterable[str], *, points: float | None) -> str:
    """Return a row; ``points``: its height, None: that of the sheet."""
    height = "" if points is None else f' ht="{points:g}" customHeight="1"'
    return f'<row r="{number}"{height}>{"".join(cells)}</row>'


def encode_blank(address: str, style: int) -> str:
    """Return an empty cell. ``address``: for example ``A1``; ``style``: the index of a format."""
    return f'<c r="{address}" s="{style}"/>'


def encode_number(address: str, style: int, value: float) -> str:
    """Return a cell with a number."""
    return f'<c r="{address}" s="{style}"><v>{value:.16G}</v></c>'


def encode_time(address: str, style: int, moment: datetime) -> str:
    """Return a cell with a moment without a zone."""
    since = moment - _DAY_0
    seconds = since.seconds + since.microseconds / 1e6
    return encode_number(address, style, since.days + seconds / _SECONDS_OF_DAY)


def encode_text(address: str, style: int, text: str) -> str:
    """Return a cell with a text of characters that XML can contain."""
    space = ' xml:space="preserve"' if text != text.strip() else ""
    content = escape(_ESCAPE_LIKE.sub("_x005F_", text) if "_x" in text else text)
    return f'<c r="{address}" s="{style}" t="inlineStr"><is><t{space}>{content}</t></is></c>'
