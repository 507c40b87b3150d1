"""Write XLSX files: formatted pages of columns and rows, in which no text acts as a formula."""

import os
import tempfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from io import BytesIO
from types import TracebackType
from typing import Any, Self

from xlsxwriter import Workbook
from xlsxwriter.utility import xl_col_to_name

from app.services.sheets.cells import (
    LINE_POINTS,
    Cell,
    Column,
    Link,
    count_lines,
    fit_text,
    keep_as_text,
)
from app.services.sheets.formulas import is_formula_like
from app.services.sheets.row_xml import (
    encode_blank,
    encode_number,
    encode_row,
    encode_text,
    encode_time,
)

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
        self._flat = flat
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
            self._page.set_row(0, 1.5 * LINE_POINTS)
            self._page.freeze_panes(1, fixed_columns)
            self._page.repeat_rows(0)
            self._row = 1

    @property
    def _has_headings(self) -> bool:
        return any(column.heading for column in self._columns)

    def add_rows(self, rows: Iterable[Sequence[Cell]], *, style: Any = None) -> None:
        """Add rows to the current page, each with one cell for each column.

        A flat file has neither links nor rows of another ``style``.
        """
        if self._flat:
            self._add_flat_rows(rows)
            return
        for row in rows:
            # Not every program computes the height of a row.
            self._page.set_row(self._row, LINE_POINTS * count_lines(self._columns, row))
            for place, (column, cell) in enumerate(zip(self._columns, row, strict=True)):
                self._write(place, column, cell, style)
            self._row += 1

    def _add_flat_rows(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Write rows as XML to the file from which XlsxWriter copies the page's rows."""
        self._page._write_single_row(self._row)  # the row of headings
        letters = [xl_col_to_name(place) for place in range(len(self._columns))]
        for row in rows:
            number, lines = self._row + 1, count_lines(self._columns, row)
            cells = [
                self._encode(f"{letter}{number}", column, cell)
                for letter, column, cell in zip(letters, self._columns, row, strict=True)
            ]
            height = LINE_POINTS * lines if lines > 1 else None
            self._page.row_data_fh.write(encode_row(number, cells, points=height))
            self._row += 1
        self._page.previous_row = self._row
        self._page._check_dimensions(self._row, len(letters) - 1)

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
        if isinstance(cell, str):
            cell = fit_text(cell)
        form = style or self._choose_format(column, cell)
        match cell:
            case None | "":
                self._page.write_blank(self._row, place, None, form)
            case Link():
                address = f"internal:'{cell.page}'!A{cell.row}"
                self._page.write_url(self._row, place, address, form, cell.text)
            case str():
                self._page.write_string(self._row, place, keep_as_text(cell), form)
            case datetime():
                self._page.write_datetime(self._row, place, cell.replace(tzinfo=None), form)
            case _:
                self._page.write_number(self._row, place, cell, form)

    def _encode(self, address: str, column: Column, cell: Cell) -> str:
        """Return the XML of a cell of a flat file."""
        if isinstance(cell, str) and cell:
            text = fit_text(cell)
            return encode_text(address, self._choose_format(column, text)._get_xf_index(), text)
        style = self._choose_format(column, cell)._get_xf_index()
        match cell:
            case None | "":
                return encode_blank(address, style)
            case datetime():
                return encode_time(address, style, cell.replace(tzinfo=None))
            case int() | float():
                return encode_number(address, style, cell)
            case _:
                raise TypeError("a flat file has no links")

    def _choose_format(self, column: Column, cell: Cell) -> Any:
        match cell:
            case str():
                return self._get_format(column, quoted=is_formula_like(cell))
            case datetime():
                offset = cell.strftime("%z")
                zone = f' "{offset[:3]}:{offset[3:5]}"' if offset else ""
                return self._get_format(column, number=f"dd.mm.yyyy hh:mm:ss{zone}")
            case Link():
                return self._link
            case _:
                return self._get_format(column)

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
