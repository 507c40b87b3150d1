"""XLSX files: pages of columns and rows that look right in Excel as they open, and in which no text
can act as a formula.
"""

import math
import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from types import TracebackType
from typing import Any, Self

from xlsxwriter import Workbook

from app.services.formulas import is_formula_like

Cell = str | float | datetime | None
"""What may stand in a cell. An aware moment is shown by its own wall clock with its offset behind
it: Excel knows no zones.
"""

_REFUSED = re.compile("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
"""What XML 1.0 takes in no spelling, the carriage return, of which it makes a line break of its
own, and what turns text round.
"""
_MAX_UNITS = 32_767
"""Excel's limit for a cell, in UTF-16 units."""
_LINE_POINTS, _MAX_LINES = 15, 27
"""The height of a line of Calibri 11, and how many of them go into the 409 points that Excel lets a
row have.
"""
_WORD_WRAP = 1.1
"""Lines break between words, so a text takes about a tenth more than its length."""
_LAID_OUT = {
    "valign": "top",
    "font_name": "Calibri",
    "font_size": 11,
    "bottom": 1,
    "bottom_color": "#DCE1E8",
}
_HEADING = {
    **_LAID_OUT,
    "valign": "vcenter",
    "bold": True,
    "bg_color": "#E7ECF3",
    "bottom_color": "#9AA7B8",
}


@dataclass(frozen=True)
class Column:
    """A column of a page. ``width`` in characters; text of a ``wrapped`` one goes on in the next
    line of its cell.

    ``colours``: for a word that stands in it the background of its cell, as ``#RRGGBB``.
    """

    heading: str
    width: int
    wrapped: bool = False
    centred: bool = False
    colours: tuple[tuple[str, str], ...] = ()


class SpreadsheetFile:
    """An XLSX file that grows page by page and row by row; a context, at whose end its temporary
    files are gone.

    ``flat``: rows go to the disk as they come, so that any number takes the same memory. Their
    texts then stand in the cells themselves, and XlsxWriter's documentation names a program that
    does not show those: Apple's Numbers. So not for mails.
    """

    def __init__(self, *, flat: bool, created_at: datetime | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix=f"sheet-{os.getpid()}-")
        self._content = BytesIO()
        self._book = Workbook(
            self._content,
            {"constant_memory": flat, "in_memory": not flat, "tmpdir": self._folder.name},
        )
        if created_at is not None:
            self._book.set_properties({"created": created_at.replace(tzinfo=None)})
        self._formats: dict[tuple[bool, bool, bool, str], Any] = {}
        self._columns: Sequence[Column] = ()
        self._page: Any = None
        self._row = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for page in self._book.worksheets():
            if page.row_data_fh is not None:  # of a file that was not finished
                page.row_data_fh.close()
        self._folder.cleanup()

    def add_page(self, name: str, columns: Sequence[Column]) -> None:
        """Begins a page (at most 31 characters, none of ``[]:*?/\\``); the one before is finished
        with it.
        """
        self._finish_page()
        self._page, self._columns, self._row = self._book.add_worksheet(name), columns, 1
        heading = self._book.add_format(_HEADING)
        for place, column in enumerate(columns):
            self._page.set_column(place, place, column.width)
            self._page.write_string(0, place, column.heading, heading)
        self._page.set_row(0, 1.5 * _LINE_POINTS)
        self._page.freeze_panes(1, 0)
        self._page.set_landscape()
        self._page.set_paper(9)  # A4
        self._page.fit_to_pages(1, 0)
        self._page.repeat_rows(0)

    def add_rows(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Adds rows to the page begun last, each as long as it has columns."""
        for row in rows:
            self._page.set_row(
                self._row, _LINE_POINTS * _lines(self._columns, row)
            )  # not every program measures by itself
            for place, (column, cell) in enumerate(zip(self._columns, row, strict=True)):
                self._write(place, column, cell)
            self._row += 1

    def finish(self) -> bytes:
        """The file; nothing can be added afterwards."""
        self._finish_page()
        self._book.close()
        return self._content.getvalue()

    def _finish_page(self) -> None:
        if self._page is None:
            return
        last_row, last_column = max(self._row - 1, 1), len(self._columns) - 1
        self._page.autofilter(0, 0, last_row, last_column)
        self._page.ignore_errors({"number_stored_as_text": f"A2:XFD{last_row + 1}"})
        for place, column in enumerate(self._columns):
            for word, colour in column.colours:
                rule = {
                    "type": "cell",
                    "criteria": "==",
                    "value": f'"{word}"',
                    "format": self._book.add_format({"bg_color": colour}),
                }
                self._page.conditional_format(1, place, last_row, place, rule)

    def _write(self, place: int, column: Column, cell: Cell) -> None:
        match cell:
            case None | "":
                self._page.write_blank(self._row, place, None, self._format(column))
            case str():
                text = _fit(cell)
                self._page.write_string(
                    self._row, place, text, self._format(column, quoted=is_formula_like(text))
                )
            case datetime():
                offset = cell.strftime("%z")
                shown = (
                    f'dd.mm.yyyy hh:mm:ss "{offset[:3]}:{offset[3:5]}"'
                    if offset
                    else "dd.mm.yyyy hh:mm:ss"
                )
                self._page.write_datetime(
                    self._row, place, cell.replace(tzinfo=None), self._format(column, number=shown)
                )
            case _:
                self._page.write_number(self._row, place, cell, self._format(column))

    def _format(self, column: Column, *, quoted: bool = False, number: str = "General") -> Any:
        """``quoted`` is Excel's own mark for a text that begins like a formula: it stays a text
        when a person edits the cell.
        """
        key = (column.wrapped, column.centred, quoted, number)
        if key not in self._formats:
            align = "center" if column.centred else "left"
            looks = {
                **_LAID_OUT,
                "align": align,
                "text_wrap": column.wrapped,
                "quote_prefix": quoted,
                "num_format": number,
            }
            self._formats[key] = self._book.add_format(looks)
        return self._formats[key]


def _lines(columns: Sequence[Column], row: Sequence[Cell]) -> int:
    """About how many lines the row's longest text takes."""
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


def _fit(text: str) -> str:
    """The text as a cell can hold it; what is cut off is marked."""
    text = _REFUSED.sub("", text)
    if len(text) * 2 <= _MAX_UNITS:
        return text
    units = text.encode("utf-16-le")
    return (
        text
        if len(units) <= 2 * _MAX_UNITS
        else units[: 2 * _MAX_UNITS - 2].decode("utf-16-le", "ignore") + "…"
    )
