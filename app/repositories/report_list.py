"""SQL of the list of reports: the stored JSON text, in pages, without parsing it.

Its rows are copied: measured, this is many times faster than SQLAlchemy rows, models and a
serializer, and twice as fast as JSON that Postgres joins (tests/benchmarks). The text is returned
unchanged, with its order and spelling. Only ``created_at`` is rewritten if REPORT_TIMEZONE has
changed since the report was written.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import format_in_zone
from app.database.copied_rows import copy_rows, read_moment
from app.database.engine import Database
from app.repositories.report_filter import ReportFilter
from app.repositories.report_order import Position, ReportSort, make_condition, make_order

_JOIN_CURRENT = "LEFT JOIN reviews ON reviews.report_id = reports.id AND reviews.ended_at IS NULL"
_NEWEST_ID = "SELECT coalesce(max(id), 0), '' FROM reports"
_MOMENT = re.compile(rb'"created_at":\s*"([^"]+)"')
"""The key is found by its quotes: quotes within a JSON string are escaped."""


@dataclass(frozen=True)
class ReportList:
    """What a list shows. ``zone``: of its moments. ``sort`` None: newest first.

    ``scored``: each report ends with its score.
    """

    wanted: ReportFilter
    zone: ZoneInfo
    sort: ReportSort | None = None
    scored: bool = False


class Page(NamedTuple):
    """A part of a list: reports as JSON objects in UTF-8, as REST returns them.

    ``following``: the position after the part; None: it is the last one. Reports that were written
    after the first page are on none of the following ones.
    """

    bodies: list[bytes]
    following: Position | None


async def read_page(
    database: Database, listed: ReportList, after: Position | None, limit: int
) -> Page:
    """Return at most ``limit`` reports after a position; None: from the beginning."""
    wanted, score = listed.wanted, listed.wanted.column("score")
    condition, values = _make_condition(listed, after)
    has_score = listed.scored or listed.sort is not None
    sql = f"""
        SELECT reports.id, reports.created_at, {f"({score} * 100)::bigint," if has_score else ""}
               {wanted.column("body")}
        FROM reports {_JOIN_CURRENT if wanted.reviewed else ""}
        WHERE {condition} ORDER BY {make_order(listed.sort, score)} LIMIT {limit + 1:d}
    """  # noqa: S608 - columns and numbers are ours, values are quoted
    rows = await copy_rows(database, sql, values, numbers=3 if has_score else 2)
    bodies = convert_to_zone(rows.texts[:limit], listed.zone)
    if listed.scored:
        bodies = [_add_score(body, rows.numbers(place)) for place, body in enumerate(bodies)]
    if len(rows.texts) <= limit:
        return Page(bodies, None)
    newest_id = after.newest_id if after else await _get_newest_id(database)
    return Page(bodies, _make_position(listed, rows.numbers(limit - 1), newest_id))


async def _get_newest_id(database: Database) -> int:
    """Return the id of the newest report.

    As a column of the page it would take a third of the time of a short page.
    """
    (newest_id,) = (await copy_rows(database, _NEWEST_ID, {}, numbers=1)).numbers(0)
    return newest_id


async def count_bodies(session: AsyncSession, listed: ReportList, *, most: int) -> int:
    """Return the number of reports, at most ``most``."""
    condition, values = _make_condition(listed, None)
    sql = f"""
        SELECT count(*) FROM (
            SELECT FROM reports {_JOIN_CURRENT if listed.wanted.reviewed else ""}
            WHERE {condition} LIMIT {most:d}
        ) AS found
    """  # noqa: S608 - columns and numbers are ours
    return int(await session.scalar(text(sql), values) or 0)


def convert_to_zone(bodies: list[bytes], zone: ZoneInfo) -> list[bytes]:
    """Rewrite ``created_at`` of stored bodies in the zone; keep the rest of the text.

    Only the distinct minutes are converted to find out whether a list needs it: a run writes many
    reports in a minute, and most lists need none.
    """
    found = [moment for moment in map(_MOMENT.search, bodies) if moment]
    if len(found) < len(bodies):
        raise ValueError("a stored report without created_at")
    minutes = {(moment[:16] + moment[-6:]).decode() for moment in {one[1] for one in found}}
    if all(format_in_zone(minute, zone) == minute for minute in minutes):
        return bodies
    return [_MOMENT.sub(lambda found: _convert(found, zone), body, 1) for body in bodies]


def _convert(found: re.Match[bytes], zone: ZoneInfo) -> bytes:
    return found[0].replace(found[1], format_in_zone(found[1].decode(), zone).encode())


def _make_condition(listed: ReportList, after: Position | None) -> tuple[str, dict[str, object]]:
    """Return SQL for the reports after a position, with its named parameters."""
    condition, values = listed.wanted.condition()
    if after is None:
        return condition, values
    is_after, position = make_condition(listed.sort, listed.wanted.column("score"), after)
    is_old = "reports.id <= :newest_id::bigint"
    return f"{condition} AND {is_after} AND {is_old}", {
        **values,
        **position,
        "newest_id": after.newest_id,
    }


def _make_position(listed: ReportList, numbers: tuple[int, ...], newest_id: int) -> Position:
    score = _read_score(numbers) if listed.sort else None
    return Position(read_moment(numbers[1]), numbers[0], newest_id, score)


def _add_score(body: bytes, numbers: tuple[int, ...]) -> bytes:
    return body[:-1] + f',"score":{_read_score(numbers)}}}'.encode()


def _read_score(numbers: tuple[int, ...]) -> Decimal:
    """Return the score, which is selected as a whole number of hundredths."""
    return Decimal(numbers[2]).scaleb(-2)
