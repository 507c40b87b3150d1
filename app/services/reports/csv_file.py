"""Reports as CSV for a Russian Excel and for programs."""

import csv
import io
import json
from collections.abc import AsyncIterator, Iterable

from app.services.reports.xlsx_file import REPORT_FIELDS
from app.services.sheets.formulas import escape_formula

_BOM = "\ufeff"
"""Without it Excel decodes UTF-8 as the system's 8-bit encoding. ``utf-8-sig`` removes it."""


async def as_csv(chunks: AsyncIterator[list[bytes]]) -> AsyncIterator[bytes]:
    """Encode the chunks as one CSV with a heading, ``;`` between cells and escaped formulas.

    Quotes and line ends are those of RFC 4180.
    """
    yield (_BOM + _write_rows([REPORT_FIELDS])).encode()
    async for chunk in chunks:
        if chunk:
            yield _write_rows(_make_row(body) for body in chunk).encode()


def _make_row(body: bytes) -> list[object]:
    fields = json.loads(body)
    return [
        escape_formula(cell) if isinstance(cell := fields[name], str) else cell
        for name in REPORT_FIELDS
    ]


def _write_rows(rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerows(rows)
    return text.getvalue()
