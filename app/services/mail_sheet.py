"""The mail's attachment: every report that it carries and every buyer who waits, for a spreadsheet."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from app.repositories import coverage, report_figures
from app.repositories.report_figures import Selection
from app.services.digest_chats import NAMELESS, UNTITLED
from app.services.digests import Period
from app.services.figures import DigestFigures
from app.services.plural import number
from app.services.report_sheet import MAX_ROWS, Page, write_reports
from app.services.sheets import Cell, Column
from app.services.wording import chat_url

_WAITING = (
    Column("account", 20),
    Column("chat_id", 30),
    Column("chat_title", 36, wrapped=True),
    Column("client_name", 18, wrapped=True),
    Column("waiting_since", 28),
    Column("waiting_hours", 17, centred=True),
    Column("url", 70),
)


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
    """The rows of these mails; ``reports``: how many there are, of which the first ``MAX_ROWS`` are read."""
    return SheetRows(
        bodies=await report_figures.list_bodies(session, Selection(digest_ids=list(digest_ids)), limit=MAX_ROWS),
        reports=reports,
        buyers=await coverage.list_waiting_buyers(session, **period.waiting_span, limit=MAX_ROWS),
    )


def write_sheet(rows: SheetRows, figures: DigestFigures) -> Attachment | None:
    """The file for a mail, None where it would be empty. It takes seconds for 10,000 reports: not for the event loop."""
    if not rows.bodies and not rows.buyers:
        return None
    day, end, zone = figures.day.isoformat(), figures.period_end, ZoneInfo(figures.timezone)
    buyers = [_buyer(buyer, end, zone) for buyer in rows.buyers]
    if rows.buyers and (unseen := rows.buyers[0]["total"] - len(rows.buyers)):
        buyers.append([f"Ещё {number(unseen)}", *[None] * (len(_WAITING) - 1)])
    waiting = Page("Ждут ответа", _WAITING, buyers)
    more = rows.reports - len(rows.bodies)
    rest = f"Ещё {number(more)}: GET /api/v1/reports?mail={day}" if more else None
    content = write_reports([json.loads(body) for body in rows.bodies], [waiting], rest=rest, created_at=end.astimezone(zone))
    return Attachment(content, f"avito-chats-{day}.xlsx")


def _buyer(row: Mapping[Any, Any], end: datetime, zone: ZoneInfo) -> list[Cell]:
    since: datetime = row["waiting_since"]
    return [
        row["account"],
        row["avito_id"],
        row["item_title"] or UNTITLED,
        row["client_name"] or NAMELESS,
        since.astimezone(zone),
        int((end - since).total_seconds() // 3600),
        chat_url(row["avito_id"]),
    ]
