"""Write XLSX files: formatted pages of columns and rows, in which no text acts as a formula."""

import math
import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from types import TracebackType
from typing import Any, NamedTuple, Self

from xlsxwriter import Workbook

from app.services.formulas import is_formula_like


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
_LINE_POINTS, _MAX_LINES = 15, 27
"""The height of a line of Calibri 11, and how many lines fit into Excel's 409 points for a row."""
_WORD_WRAP = 1.1
"""Lines break between words, so a text needs about a tenth more space than its length."""
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


_LINK = {**_LAID_OUT, "font_color": "#1155CC", "underline": 1}


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


class SpreadsheetFile:
    """An XLSX file that is written page by page and row by row.

    Use it as a context manager, which removes its temporary files.

    ``flat``: write rows to the disk at once, so that memory is constant. Texts are then stored in
    the cells, which Apple's Numbers does not show (XlsxWriter's documentation), so it does not suit
    mails.
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
        self._formats: dict[tuple[Any, ...], Any] = {}
        self._heading = self._book.add_format(_HEADING)
        self._link = self._book.add_format(_LINK)
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

    def add_page(self, name: str, columns: Sequence[Column], *, fixed_columns: int = 0) -> None:
        """Finish the current page and start the next one.

        If no column has a heading, the page has no heading row.

        ``name``: at most 31 characters, none of ``[]:*?/\\``. ``fixed_columns`` stay in view when
        the page is scrolled.
        """
        self._finish_page()
        self._page, self._columns, self._row = self._book.add_worksheet(name), columns, 0
        for place, column in enumerate(columns):
            self._page.set_column(place, place, column.width)
        self._page.set_landscape()
        self._page.set_paper(9)  # A4
        self._page.fit_to_pages(1, 0)
        if self._has_headings:
            self._page.write_row(0, 0, [column.heading for column in columns], self._heading)
            self._page.set_row(0, 1.5 * _LINE_POINTS)
            self._page.freeze_panes(1, fixed_columns)
            self._page.repeat_rows(0)
            self._row = 1

    @property
    def _has_headings(self) -> bool:
        return any(column.heading for column in self._columns)

    def add_rows(self, rows: Iterable[Sequence[Cell]], *, style: Any = None) -> None:
        """Add rows to the current page, each with one cell for each column."""
        for row in rows:
            # Not every program computes the height of a row.
            self._page.set_row(self._row, _LINE_POINTS * _count_lines(self._columns, row))
            for place, (column, cell) in enumerate(zip(self._columns, row, strict=True)):
                self._write(place, column, cell, style)
            self._row += 1

    def add_heading(self, row: Sequence[Cell]) -> None:
        """Add a row in the style of headings to the current page."""
        self.add_rows([row], style=self._heading)

    def finish(self) -> bytes:
        """Return the file. Nothing can be added afterwards."""
        self._finish_page()
        self._book.close()
        return self._content.getvalue()

    def _finish_page(self) -> None:
        if self._page is None:
            return
        last_row, last_column = max(self._row - 1, 1), len(self._columns) - 1
        if self._has_headings:
            self._page.autofilter(0, 0, last_row, last_column)
        self._page.ignore_errors({"number_stored_as_text": f"A2:XFD{last_row + 1}"})
        for place, column in enumerate(self._columns):
            if column.choices is not None:
                words, title, error = column.choices
                rule = {
                    "validate": "list",
                    "source": list(words),
                    "error_title": title,
                    "error_message": error,
                }
                self._page.data_validation(1, place, last_row, place, rule)
            for word, colour in column.colours:
                rule = {
                    "type": "cell",
                    "criteria": "==",
                    "value": f'"{word}"',
                    "format": self._book.add_format({"bg_color": colour}),
                }
                self._page.conditional_format(1, place, last_row, place, rule)

    def _write(self, place: int, column: Column, cell: Cell, style: Any) -> None:
        """``style``: a format that overrides the column's for text."""
        match cell:
            case None | "":
                self._page.write_blank(self._row, place, None, style or self._get_format(column))
            case Link():
                address = f"internal:'{cell.page}'!A{cell.row}"
                self._page.write_url(self._row, place, address, style or self._link, cell.text)
            case str():
                text = _fit_text(cell)
                self._page.write_string(
                    self._row,
                    place,
                    text,
                    style or self._get_format(column, quoted=is_formula_like(text)),
                )
            case datetime():
                offset = cell.strftime("%z")
                shown = (
                    f'dd.mm.yyyy hh:mm:ss "{offset[:3]}:{offset[3:5]}"'
                    if offset
                    else "dd.mm.yyyy hh:mm:ss"
                )
                self._page.write_datetime(
                    self._row,
                    place,
                    cell.replace(tzinfo=None),
                    self._get_format(column, number=shown),
                )
            case _:
                self._page.write_number(self._row, place, cell, self._get_format(column))

    def _get_format(self, column: Column, *, quoted: bool = False, number: str = "General") -> Any:
        """Return the format of a cell.

        ``quoted``: Excel's mark for text that begins like a formula. The cell remains text when a
        person edits it.
        """
        key = (column.wrapped, column.centred, quoted, number)
        if key not in self._formats:
            align = "center" if column.centred else "left"
            properties = {
                **_LAID_OUT,
                "align": align,
                "text_wrap": column.wrapped,
                "quote_prefix": quoted,
                "num_format": number,
            }
            self._formats[key] = self._book.add_format(properties)
        return self._formats[key]


def _count_lines(columns: Sequence[Column], row: Sequence[Cell]) -> int:
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


def _fit_text(text: str) -> str:
    """Return the text as a cell can contain it. A truncated text ends in «…»."""
    text = _REFUSED.sub("", text)
    if len(text) * 2 <= _MAX_UNITS:
        return text
    units = text.encode("utf-16-le")
    return (
        text
        if len(units) <= 2 * _MAX_UNITS
        else units[: 2 * _MAX_UNITS - 2].decode("utf-16-le", "ignore") + "…"
    )
