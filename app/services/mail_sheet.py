"""The mail's attachment: every report that it carries and every buyer who waits, for a spreadsheet."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import xlsxwriter
from sqlalchemy.ext.asyncio import AsyncSession

from app.repositories import coverage, report_figures
from app.repositories.report_figures import Selection
from app.services.digest_chats import NAMELESS, UNTITLED
from app.services.digests import Period
from app.services.figures import DigestFigures
from app.services.hostile_text import without_controls
from app.services.plural import number
from app.services.wording import chat_url

MOST_ROWS = 20_000
"""A page holds no more, so that a mail never grows past what mail servers take; the last row then says where the rest is."""

_CELL = 32_767
"""Excel's limit, in characters."""

REPORT_COLUMNS = (
    "chat_id",
    "created_at",
    "chat_title",
    "client_name",
    "total_messages",
    "company_messages",
    "client_messages",
    "tonality_grade",
    "professionalism_grade",
    "clarity_grade",
    "problem_solving_grade",
    "objection_handling_grade",
    "closure_grade",
    "summary",
    "recommendations",
    "id",
)
_REPORT_WIDTHS = (30, 28, 36, 18, 9, 9, 9, 12, 12, 12, 12, 16, 12, 60, 60, 8)
WAITING_COLUMNS = ("account", "chat_id", "chat_title", "client_name", "waiting_since", "waiting_hours", "url")
_WAITING_WIDTHS = (20, 30, 36, 18, 28, 10, 70)


class Attachment(NamedTuple):
    """A file that goes with a mail."""

    content: bytes
    filename: str


@dataclass(frozen=True)
class SheetRows:
    """What stands in the two pages: reports as JSON, newest first, and buyers who wait, longest first."""

    bodies: Sequence[str]
    reports: int
    buyers: Sequence[Mapping[Any, Any]]


async def read_rows(session: AsyncSession, digest_ids: Sequence[int], period: Period, *, reports: int) -> SheetRows:
    """The rows of these mails; ``reports``: how many there are, of which the first ``MOST_ROWS`` are read."""
    return SheetRows(
        bodies=await report_figures.list_bodies(session, Selection(digest_ids=list(digest_ids)), limit=MOST_ROWS),
        reports=reports,
        buyers=await coverage.list_waiting_buyers(session, **period.waiting_span, limit=MOST_ROWS),
    )


def write_sheet(rows: SheetRows, figures: DigestFigures) -> Attachment | None:
    """The file for a mail, None where it would be empty. It takes seconds for 10,000 reports: not for the event loop."""
    if not rows.bodies and not rows.buyers:
        return None
    day, end, zone = figures.day.isoformat(), figures.period_end, ZoneInfo(figures.timezone)
    file = BytesIO()
    # Texts are strangers': without the two options `=…` becomes a formula and `http://…` a link.
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(file, options) as book:
        book.set_properties({"created": end.astimezone(zone).replace(tzinfo=None)})
        reports = _Page(book, "Отчёты", REPORT_COLUMNS, _REPORT_WIDTHS)
        for body in rows.bodies:
            report = json.loads(body)
            reports.add([report[name] for name in REPORT_COLUMNS])
        if rows.reports > len(rows.bodies):
            reports.add([f"Ещё {number(rows.reports - len(rows.bodies))}: GET /api/v1/reports?mail={day}"])
        reports.finish()
        waiting = _Page(book, "Ждут ответа", WAITING_COLUMNS, _WAITING_WIDTHS)
        for buyer in rows.buyers:
            waiting.add(_buyer(buyer, end, zone))
        if rows.buyers and (more := rows.buyers[0]["total"] - len(rows.buyers)):
            waiting.add([f"Ещё {number(more)}"])
        waiting.finish()
    return Attachment(file.getvalue(), f"avito-chats-{day}.xlsx")


def _buyer(row: Mapping[Any, Any], end: datetime, zone: ZoneInfo) -> list[str | int | float]:
    since: datetime = row["waiting_since"]
    return [
        row["account"],
        row["avito_id"],
        row["item_title"] or UNTITLED,
        row["client_name"] or NAMELESS,
        since.astimezone(zone).isoformat(timespec="seconds"),
        int((end - since).total_seconds() // 3600),
        chat_url(row["avito_id"]),
    ]


class _Page:
    """One page under way: a frozen row of names, then row by row, as the writer's flat memory wants it."""

    def __init__(self, book: xlsxwriter.Workbook, title: str, columns: Sequence[str], widths: Sequence[int]) -> None:
        self._sheet = book.add_worksheet(title)
        self._top = book.add_format({"valign": "top"})
        self._columns = len(columns)
        self._next = 1
        head = book.add_format({"bold": True, "bottom": 1})
        for column, (name, width) in enumerate(zip(columns, widths, strict=True)):
            self._sheet.set_column(column, column, width)
            self._sheet.write_string(0, column, name, head)
        self._sheet.freeze_panes(1, 0)

    def add(self, values: Sequence[str | float]) -> None:
        """Writes the next row; a text stays a text, whatever it looks like."""
        for column, value in enumerate(values):
            if isinstance(value, str):
                self._sheet.write_string(self._next, column, without_controls(value)[:_CELL], self._top)
            else:
                self._sheet.write_number(self._next, column, value, self._top)
        self._next += 1

    def finish(self) -> None:
        """Lets a reader filter all rows that were written."""
        self._sheet.autofilter(0, 0, self._next - 1, self._columns - 1)
