"""SQL of the list of reports: the stored JSON text, in pages, without parsing it.

Its rows are copied: measured, this is many times faster than SQLAlchemy rows, models and a
serializer, and twice as fast as JSON that Postgres joins (tests/benchmarks). The text is returned
unchanged, with its order and spelling. Only ``created_at`` is rewritten if REPORT_TIMEZONE has
changed since the report was written.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import format_in_zone
from app.database.copied_rows import CopiedRow, copy_rows, read_moment
from app.repositories.report_filter import ReportFilter
from app.repositories.report_order import Position, ReportSort, make_condition, make_order

_JOIN_CURRENT = "LEFT JOIN reviews ON reviews.report_id = reports.id AND reviews.ended_at IS NULL"
_NEWEST_ID = "(SELECT coalesce(max(id), 0) FROM reports)"
_MOMENT = b'"created_at":'


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
    session: AsyncSession, listed: ReportList, after: Position | None, limit: int
) -> Page:
    """Return at most ``limit`` reports after a position; None: from the beginning.

    No other statement of the session may precede it.
    """
    wanted, score = listed.wanted, listed.wanted.column("score")
    condition, values = _make_condition(listed, after)
    has_score = listed.scored or listed.sort is not None
    sql = f"""
        SELECT reports.id, {_NEWEST_ID if after is None else ":newest_id::bigint"},
               reports.created_at, {f"({score} * 100)::bigint" if has_score else "0::bigint"},
               {wanted.column("body")}
        FROM reports {_JOIN_CURRENT if wanted.reviewed else ""}
        WHERE {condition} ORDER BY {make_order(listed.sort, score)} LIMIT {limit + 1:d}
    """  # noqa: S608 - columns and numbers are ours, values are quoted
    rows = list(await copy_rows(session, sql, values, numbers=4))
    following = _make_position(listed, rows[limit - 1]) if len(rows) > limit else None
    bodies = convert_to_zone((row.text for row in rows[:limit]), listed.zone)
    if listed.scored:
        bodies = [_add_score(body, row) for row, body in zip(rows, bodies, strict=False)]
    return Page(bodies, following)


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


def convert_to_zone(bodies: Iterable[bytes], zone: ZoneInfo) -> list[bytes]:
    """Rewrite ``created_at`` of stored bodies in the zone; keep the rest of the text.

    The key is found by its quotes: quotes within a JSON string are escaped. Minutes and offsets
    that are those of the zone are remembered, because reports are written in runs.
    """
    known: set[bytes] = set()
    return [_convert(body, zone, known) for body in bodies]


def _convert(body: bytes, zone: ZoneInfo, known: set[bytes]) -> bytes:
    start = body.index(b'"', body.index(_MOMENT) + len(_MOMENT)) + 1
    end = body.index(b'"', start)
    minute = body[start : start + 16] + body[end - 6 : end]
    if minute in known:
        return body
    moment = body[start:end].decode()
    spelled = format_in_zone(moment, zone)
    if spelled == moment:
        known.add(minute)
        return body
    return body[:start] + spelled.encode() + body[end:]


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


def _make_position(listed: ReportList, row: CopiedRow) -> Position:
    number, newest_id, created_at, _ = row.numbers
    return Position(
        read_moment(created_at), number, newest_id, _read_score(row) if listed.sort else None
    )


def _add_score(body: bytes, row: CopiedRow) -> bytes:
    return body[:-1] + f',"score":{_read_score(row)}}}'.encode()


def _read_score(row: CopiedRow) -> Decimal:
    """Return the score, which is selected as a whole number of hundredths."""
    return Decimal(row.numbers[-1]).scaleb(-2)
