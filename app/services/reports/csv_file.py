"""Reports as CSV that opens with a double click in a Russian Excel and is read to the letter by
programs.
"""

import csv
import io
import json
from collections.abc import AsyncIterator, Iterable

from app.repositories.report_bodies import ReportBody
from app.services.formulas import guarded
from app.services.reports.xlsx_file import REPORT_FIELDS

_BOM = "\ufeff"
"""Without it Excel reads UTF-8 as the system's 8-bit encoding; ``encoding="utf-8-sig"`` takes it
away.
"""


async def as_csv(chunks: AsyncIterator[list[ReportBody]]) -> AsyncIterator[bytes]:
    """The chunks as one CSV: names first, ``;`` between cells, RFC 4180's quotes and line ends,
    texts guarded against formulas.
    """
    yield (_BOM + _lines([REPORT_FIELDS])).encode()
    async for chunk in chunks:
        if chunk:
            yield _lines(_row(body) for body in chunk).encode()


def _row(body: ReportBody) -> list[object]:
    fields = json.loads(body.json)
    return [
        guarded(cell) if isinstance(cell := fields[name], str) else cell for name in REPORT_FIELDS
    ]


def _lines(rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerows(rows)
    return text.getvalue()
