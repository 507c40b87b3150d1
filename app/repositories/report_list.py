"""SQL of the list of reports: the stored JSON text, in pages, without parsing it.

It is raw and goes to the driver: measured, this is many times faster than SQLAlchemy rows, models
and a serializer (tests/benchmarks). The text is returned unchanged, with its order and spelling.
Only ``created_at`` is rewritten if REPORT_TIMEZONE has changed since the report was written.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import CursorResult
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import format_in_zone
from app.repositories.report_filter import ReportFilter
from app.repositories.report_order import Position, ReportSort, make_condition, make_order

T = TypeVar("T")

_JOIN_CURRENT = "LEFT JOIN reviews ON reviews.report_id = reports.id AND reviews.ended_at IS NULL"
_NEWEST_ID = "(SELECT coalesce(max(id), 0) FROM reports)"
_MOMENT = '"created_at":'
_START = 300
"""The characters of a body in which Postgres looks for the moment: the id of the chat is before it.
"""
_IS_IN_ZONE = f"""
    to_char(created_at AT TIME ZONE :zone, :minute)
    = substr(body, strpos(left(body, {_START}), '{_MOMENT}"') + {len(_MOMENT) + 1}, 16)
    AS is_in_zone
"""
_BODY_WITH_SCORE = """left(body, -1) || ',"score":' || reports.score || '}'"""
_PARAMETER = re.compile(r"(?<!:):(\w+)")
"""A named parameter, which the driver requires numbered; not a cast (``::text``)."""


@dataclass(frozen=True)
class ReportList:
    """What a list shows. ``zone``: of its moments. ``sort`` None: newest first.

    ``scored``: with the scores, also if it is not sorted by them.
    """

    wanted: ReportFilter
    zone: ZoneInfo
    sort: ReportSort | None = None
    scored: bool = False


class ReportBody(NamedTuple):
    """A report as REST returns it, and its position in the list."""

    created_at: datetime
    id: int
    json: str
    score: Decimal


class Page(NamedTuple, Generic[T]):
    """A part of a list. ``following``: the position after it; None: it is the last part.

    Reports that were written after the first page are on none of the following ones.
    """

    content: T
    following: Position | None


async def read_bodies(
    session: AsyncSession, listed: ReportList, after: Position | None, limit: int
) -> Page[list[ReportBody]]:
    """Return at most ``limit`` reports after a position; None: from the beginning."""
    columns = "reports.created_at, reports.id, newest_id, body, score"
    sql, values = _select(columns, listed, after, limit + 1)
    rows = (await _execute(session, sql, values)).all()
    bodies = [
        ReportBody(row.created_at, row.id, convert_to_zone(row.body, listed.zone), row.score)
        for row in rows[:limit]
    ]
    if len(rows) <= limit:
        return Page(bodies, None)
    last = bodies[-1]
    return Page(
        bodies, _make_position(listed, last.created_at, last.id, rows[0].newest_id, last.score)
    )


async def join_bodies(
    session: AsyncSession, listed: ReportList, after: Position | None, limit: int
) -> Page[bytes]:
    """Return the same page as JSON objects with commas between them, in UTF-8.

    Postgres joins them: the bytes pass through this process as one value. If a moment is stored in
    another zone, the page is read as rows.
    """
    order = make_order(listed.sort, "reports.score")
    shown = _BODY_WITH_SCORE if listed.scored else "body"
    columns = f"""
        convert_to(
            string_agg({shown}, ',' ORDER BY {order}) FILTER (WHERE place <= {limit:d}), 'UTF8'
        ) AS json,
        bool_and(is_in_zone) AS are_in_zone, count(*) AS found, max(newest_id) AS newest_id,
        max(created_at) FILTER (WHERE place = {limit:d}) AS created_at,
        max(id) FILTER (WHERE place = {limit:d}) AS id,
        max(score) FILTER (WHERE place = {limit:d}) AS score
    """
    sql, values = _select(columns, listed, after, limit + 1, in_zone=True)
    row = (await _execute(session, sql, values)).one()
    if row.are_in_zone is False:
        bodies, following = await read_bodies(session, listed, after, limit)
        return Page(join_in_python(bodies, scored=listed.scored), following)
    if row.found <= limit:
        return Page(row.json or b"", None)
    return Page(row.json, _make_position(listed, row.created_at, row.id, row.newest_id, row.score))


def join_in_python(bodies: list[ReportBody], *, scored: bool) -> bytes:
    """Return JSON objects with commas between them. ``scored``: each ends with its score."""
    if scored:
        return ",".join(f'{body.json[:-1]},"score":{body.score}}}' for body in bodies).encode()
    return ",".join(body.json for body in bodies).encode()


def convert_to_zone(body: str, zone: ZoneInfo) -> str:
    """Rewrite ``created_at`` of a stored body in the zone; keep the rest of the text.

    The key is found by its quotes: quotes within a JSON string are escaped.
    """
    start = body.index('"', body.index(_MOMENT) + len(_MOMENT)) + 1
    end = body.index('"', start)
    moment = body[start:end]
    spelled = format_in_zone(moment, zone)
    return body if spelled == moment else f"{body[:start]}{spelled}{body[end:]}"


def _make_position(
    listed: ReportList, created_at: datetime, number: int, newest_id: int, score: Decimal
) -> Position:
    return Position(created_at, number, newest_id, score if listed.sort else None)


async def count_bodies(session: AsyncSession, listed: ReportList, *, most: int) -> int:
    """Return the number of reports, at most ``most``."""
    sql, values = _select("count(*)", listed, None, most)
    return int((await _execute(session, sql, values)).scalar_one())


def _select(
    columns: str, listed: ReportList, after: Position | None, limit: int, *, in_zone: bool = False
) -> tuple[str, list[object]]:
    """Return SQL for columns over a page of the list, which is named ``reports``.

    The page has created_at, id, score, body, newest_id and place (from 1); with ``in_zone`` also
    is_in_zone: whether the wall clock time in the body is that of the zone.
    """
    wanted = listed.wanted
    score = wanted.column("score")
    condition, values = wanted.condition()
    newest_id = _NEWEST_ID
    if after is not None:
        is_after, position = make_condition(listed.sort, score, after)
        condition += f" AND {is_after}"
        newest_id = ":newest_id::bigint"
        values |= {**position, "newest_id": after.newest_id}
    more = ""
    if in_zone:
        more = f", {_IS_IN_ZONE}"
        values |= {"zone": listed.zone.key, "minute": 'YYYY-MM-DD"T"HH24:MI'}
    order = make_order(listed.sort, "reports.score")
    sql = f"""
        SELECT {columns} FROM (
            SELECT *, row_number() OVER (ORDER BY {order}) AS place {more}
            FROM (
                SELECT reports.created_at, reports.id, {score} AS score,
                       {wanted.column("body")}::text AS body, {newest_id} AS newest_id
                FROM reports {_JOIN_CURRENT if wanted.reviewed else ""}
                WHERE {condition} AND reports.id <= {newest_id}
                ORDER BY {make_order(listed.sort, score)} LIMIT {limit:d}
            ) AS reports
        ) AS reports
    """  # noqa: S608 - columns and numbers are ours, values are parameters
    places = {name: f"${place}" for place, name in enumerate(values, start=1)}
    return _PARAMETER.sub(lambda match: places[match[1]], sql), list(values.values())


async def _execute(session: AsyncSession, sql: str, values: list[object]) -> CursorResult[Any]:
    """Execute SQL in the session's transaction: its limits apply to the transaction only."""
    return await (await session.connection()).exec_driver_sql(sql, tuple(values))
