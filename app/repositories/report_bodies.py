"""SQL of the list of reports: Postgres' own JSON text, a chunk at a time, never an object of ours.

Reading goes to the driver under SQLAlchemy. Its ``json`` codec hands the stored text on as it is;
measured against rows, models and a serializer it is many times faster, and the order and the
spelling of what was written once stay to the letter. Only the moment is spelled anew, where
REPORT_TIMEZONE is not what it was when the report was written.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import format_in_zone
from app.repositories.reviews import IN_FORCE

_MOMENT = '"created_at":'


@dataclass(frozen=True)
class ReportFilter:
    """Which reports: written in ``[start, end)`` where given, and whatever else a caller narrows
    them to; shown in ``zone``.

    ``grades``: for each column of a grade the Russian words that may stand in it. ``account``: a
    name or Avito's number. ``mailed_on``: only those that the date's mails carried first.
    ``reviewed``: the grades, shown and filtered by, are those after a person's review.
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
    """Where a list stands: the report after which it goes on, and the newest report that existed
    when it began.
    """

    created_at: datetime
    id: int
    newest_id: int


class ReportBody(NamedTuple):
    """A report as REST shows it, and its place in the list."""

    created_at: datetime
    id: int
    json: str


async def newest_report_id(session: AsyncSession) -> int:
    """The bound of a list: what is written later is not in it."""
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
    """A stored body with its moment in the zone and everything else to the letter.

    The key is found by its quotes: within a text they would have backslashes before them.
    """
    start = body.index('"', body.index(_MOMENT) + len(_MOMENT)) + 1
    end = body.index('"', start)
    moment = body[start:end]
    spelled = format_in_zone(moment, zone)
    return body if spelled == moment else f"{body[:start]}{spelled}{body[end:]}"


async def count_bodies(session: AsyncSession, wanted: ReportFilter, *, most: int) -> int:
    """How many reports there are now; where there are more than ``most`` it counts no further."""
    sql, values = _select(
        "1", wanted, after=None, newest_id=await newest_report_id(session), limit=most
    )
    driver = await _driver(session)
    return int(await driver.fetchval(f"SELECT count(*) FROM ({sql}) AS found", *values))  # noqa: S608 - as below


def _select(
    columns: str, wanted: ReportFilter, *, after: Position | None, newest_id: int, limit: int
) -> tuple[str, list[object]]:
    conditions = ["report.kind = 'grading'", "report.id <= $1"]
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
        SELECT {columns} FROM reports report {IN_FORCE if wanted.reviewed else ""}
        WHERE {" AND ".join(conditions)} ORDER BY report.created_at DESC, report.id DESC LIMIT {limit:d}
    """  # noqa: S608 - columns and numbers are ours, values are parameters
    return sql, values


def _shown(column: str, wanted: ReportFilter) -> str:
    return f"coalesce(review.{column}, report.{column})" if wanted.reviewed else f"report.{column}"


async def _driver(session: AsyncSession):  # type: ignore[no-untyped-def]
    connection = await session.connection()
    return (await connection.get_raw_connection()).driver_connection
