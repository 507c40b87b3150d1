"""SQL of the list of reports: the stored JSON text, in chunks, without parsing it.

Raw SQL on the driver: measured, it is many times faster than SQLAlchemy rows, models and a
serializer (tests/benchmarks). The text is returned unchanged, with its order and spelling. Only
``created_at`` is rewritten if REPORT_TIMEZONE has changed since the report was written.
"""

import re
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import format_in_zone
from app.repositories.report_filter import ReportFilter

_JOIN_CURRENT = "LEFT JOIN reviews ON reviews.report_id = reports.id AND reviews.ended_at IS NULL"
_MOMENT = '"created_at":'
_PARAMETER = re.compile(r"(?<!:):(\w+)")
"""A named parameter, which the driver requires numbered; not a cast (``::text``)."""


class Position(NamedTuple):
    """Position in a list of reports.

    It consists of the last report that was returned, and the newest report that existed when the
    list began.
    """

    created_at: datetime
    id: int
    newest_id: int


class ReportBody(NamedTuple):
    """A report as REST returns it, and its position in the list."""

    created_at: datetime
    id: int
    json: str


async def get_newest_report_id(session: AsyncSession) -> int:
    """Return the upper bound of a list: reports that are written later are not in it."""
    driver = await _get_driver(session)
    return int(await driver.fetchval("SELECT coalesce(max(id), 0) FROM reports"))


async def list_bodies(
    session: AsyncSession,
    wanted: ReportFilter,
    zone: ZoneInfo,
    *,
    after: Position | None,
    newest_id: int,
    limit: int,
) -> list[ReportBody]:
    """Return the next reports, newest first, with their moments in ``zone``."""
    columns = f"reports.created_at, reports.id, {wanted.column('body')}::text"
    sql, values = _select(columns, wanted, after=after, newest_id=newest_id, limit=limit)
    driver = await _get_driver(session)
    return [
        ReportBody(created_at, number, convert_to_zone(body, zone))
        for created_at, number, body in await driver.fetch(sql, *values)
    ]


def convert_to_zone(body: str, zone: ZoneInfo) -> str:
    """Rewrite ``created_at`` of a stored body in the zone; keep the rest of the text.

    The key is found by its quotes: quotes within a JSON string are escaped.
    """
    start = body.index('"', body.index(_MOMENT) + len(_MOMENT)) + 1
    end = body.index('"', start)
    moment = body[start:end]
    spelled = format_in_zone(moment, zone)
    return body if spelled == moment else f"{body[:start]}{spelled}{body[end:]}"


async def count_bodies(session: AsyncSession, wanted: ReportFilter, *, most: int) -> int:
    """Return the number of reports, at most ``most``."""
    sql, values = _select(
        "1", wanted, after=None, newest_id=await get_newest_report_id(session), limit=most
    )
    driver = await _get_driver(session)
    return int(await driver.fetchval(f"SELECT count(*) FROM ({sql}) AS found", *values))  # noqa: S608 - as below


def _select(
    columns: str, wanted: ReportFilter, *, after: Position | None, newest_id: int, limit: int
) -> tuple[str, list[object]]:
    condition, values = wanted.condition()
    condition += " AND reports.id <= :newest_id"
    values["newest_id"] = newest_id
    if after is not None:
        condition += " AND (reports.created_at, reports.id) < (:after_moment, :after_id)"
        values |= {"after_moment": after.created_at, "after_id": after.id}
    sql = f"""
        SELECT {columns} FROM reports {_JOIN_CURRENT if wanted.reviewed else ""}
        WHERE {condition}
        ORDER BY reports.created_at DESC, reports.id DESC LIMIT {limit:d}
    """  # noqa: S608 - columns and numbers are ours, values are parameters
    places = {name: f"${place}" for place, name in enumerate(values, start=1)}
    return _PARAMETER.sub(lambda match: places[match[1]], sql), list(values.values())


async def _get_driver(session: AsyncSession):  # type: ignore[no-untyped-def]
    connection = await session.connection()
    return (await connection.get_raw_connection()).driver_connection
