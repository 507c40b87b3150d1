"""SQL of the list of reports: the stored JSON text, in chunks, without parsing it.

Raw SQL on the driver: measured, it is many times faster than SQLAlchemy rows, models and a
serializer (tests/benchmarks). The text is returned unchanged, with its order and spelling. Only
``created_at`` is rewritten if REPORT_TIMEZONE has changed since the report was written.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import format_in_zone
from app.models import ReportKind

_JOIN_CURRENT = (
    "LEFT JOIN reviews review ON review.report_id = report.id AND review.ended_at IS NULL"
)
_MOMENT = '"created_at":'


@dataclass(frozen=True)
class ReportFilter:
    """The reports that a client asks for. A field that is None does not restrict them.

    - ``zone``: the time zone of the moments.
    - ``start``, ``end``: reports written in ``[start, end)``.
    - ``chat_id``: Avito's id of a chat. ``account``: a name or Avito's number.
    - ``mailed_on``: reports that the mails of this date carried first.
    - ``grades``: for each grade column the Russian words that it may contain.
    - ``reviewed``: show and filter by the grades after a person's review.
    """

    zone: ZoneInfo
    start: datetime | None = None
    end: datetime | None = None
    chat_id: str | None = None
    account: str | None = None
    mailed_on: date | None = None
    grades: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reviewed: bool = False


class Position(NamedTuple):
    """Position in a list: the last report that was returned, and the newest report that existed
    when the list began.
    """

    created_at: datetime
    id: int
    newest_id: int


class ReportBody(NamedTuple):
    """A report as REST returns it, and its position in the list."""

    created_at: datetime
    id: int
    json: str


async def newest_report_id(session: AsyncSession) -> int:
    """The upper bound of a list: reports that are written later are not in it."""
    driver = await _driver(session)
    return int(await driver.fetchval("SELECT coalesce(max(id), 0) FROM reports"))


async def list_bodies(
    session: AsyncSession,
    wanted: ReportFilter,
    *,
    after: Position | None,
    newest_id: int,
    limit: int,
) -> list[ReportBody]:
    """The next reports, newest first."""
    columns = f"report.created_at, report.id, {_shown('body', wanted)}::text"
    sql, values = _select(columns, wanted, after=after, newest_id=newest_id, limit=limit)
    driver = await _driver(session)
    return [
        ReportBody(created_at, number, in_zone(body, wanted.zone))
        for created_at, number, body in await driver.fetch(sql, *values)
    ]


def in_zone(body: str, zone: ZoneInfo) -> str:
    """Rewrite ``created_at`` of a stored body in the zone; keep the rest of the text.

    The key is found by its quotes: quotes within a JSON string are escaped.
    """
    start = body.index('"', body.index(_MOMENT) + len(_MOMENT)) + 1
    end = body.index('"', start)
    moment = body[start:end]
    spelled = format_in_zone(moment, zone)
    return body if spelled == moment else f"{body[:start]}{spelled}{body[end:]}"


async def count_bodies(session: AsyncSession, wanted: ReportFilter, *, most: int) -> int:
    """The number of reports, at most ``most``."""
    sql, values = _select(
        "1", wanted, after=None, newest_id=await newest_report_id(session), limit=most
    )
    driver = await _driver(session)
    return int(await driver.fetchval(f"SELECT count(*) FROM ({sql}) AS found", *values))  # noqa: S608 - as below


def _select(
    columns: str, wanted: ReportFilter, *, after: Position | None, newest_id: int, limit: int
) -> tuple[str, list[object]]:
    conditions = [f"report.kind = '{ReportKind.GRADING}'", "report.id <= $1"]
    values: list[object] = [newest_id]

    def add(condition: str, *more: object) -> None:
        numbers = range(len(values) + 1, len(values) + len(more) + 1)
        conditions.append(condition.format(*(f"${number}" for number in numbers)))
        values.extend(more)

    if after is not None:
        add("(report.created_at, report.id) < ({}, {})", after.created_at, after.id)
    if wanted.start is not None:
        add("report.created_at >= {}", wanted.start)
    if wanted.end is not None:
        add("report.created_at < {}", wanted.end)
    if wanted.chat_id is not None:
        add("report.chat_id IN (SELECT id FROM chats WHERE avito_id = {})", wanted.chat_id)
    if wanted.account is not None:
        add(
            "report.account_id IN (SELECT id FROM accounts WHERE name = {} OR avito_user_id::text"
            " = {})",
            wanted.account,
            wanted.account,
        )
    if wanted.mailed_on is not None:
        add("report.digest_id IN (SELECT id FROM digests WHERE day = {})", wanted.mailed_on)
    for column, words in wanted.grades.items():
        add(f"{_shown(column, wanted)} = ANY({{}})", list(words))
    sql = f"""
        SELECT {columns} FROM reports report {_JOIN_CURRENT if wanted.reviewed else ""}
        WHERE {" AND ".join(conditions)}
        ORDER BY report.created_at DESC, report.id DESC LIMIT {limit:d}
    """  # noqa: S608 - columns and numbers are ours, values are parameters
    return sql, values


def _shown(column: str, wanted: ReportFilter) -> str:
    return f"coalesce(review.{column}, report.{column})" if wanted.reviewed else f"report.{column}"


async def _driver(session: AsyncSession):  # type: ignore[no-untyped-def]
    connection = await session.connection()
    return (await connection.get_raw_connection()).driver_connection
