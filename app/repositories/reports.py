"""SQL of the reports.

The list of reports is the stored JSON text, in chunks, without parsing it. Its SQL is raw and goes
to the driver: measured, this is many times faster than SQLAlchemy rows, models and a serializer
(tests/benchmarks). The text is returned unchanged, with its order and spelling. Only ``created_at``
is rewritten if REPORT_TIMEZONE has changed since the report was written.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import cast, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import REGCLASS
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import format_in_zone
from app.models import Account, Report, ReportKind
from app.repositories.report_filter import ReportFilter
from app.repositories.report_order import Position, ReportSort, make_condition, make_order
from app.repositories.sql_values import inline

_JOIN_CURRENT = "LEFT JOIN reviews ON reviews.report_id = reports.id AND reviews.ended_at IS NULL"
_MOMENT = '"created_at":'
_PARAMETER = re.compile(r"(?<!:):(\w+)")
"""A named parameter, which the driver requires numbered; not a cast (``::text``)."""


class ReportBody(NamedTuple):
    """A report as REST returns it, and its position in the list.

    ``score``: None if the list neither shows nor sorts by scores.
    """

    created_at: datetime
    id: int
    json: str
    score: Decimal | None = None


async def add_reports(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert reports. The keys of a row are columns."""
    if rows:
        await session.execute(insert(Report), [dict(row) for row in rows])


async def reserve_number(session: AsyncSession) -> int:
    """Reserve the number of a new report. Its stored body contains the number too."""
    sequence = func.pg_get_serial_sequence(Report.__tablename__, Report.id.key)
    return int(await session.scalar(select(func.nextval(cast(sequence, REGCLASS)))) or 0)


async def count_by_run(session: AsyncSession, run_id: int) -> int:
    """Return the number of reports that a run has written, in all its processes."""
    return int(await session.scalar(select(func.count()).where(Report.run_id == run_id)) or 0)


async def list_by_run(session: AsyncSession, run_id: int) -> list[Report]:
    """Return the reports that a run has written, worst score first."""
    return list(
        await session.scalars(
            select(Report).where(Report.run_id == run_id).order_by(Report.score, Report.id)
        )
    )


async def list_bodies_by_chat(session: AsyncSession, chat_id: int) -> list[dict[str, Any]]:
    """Return the bodies of the chat's reports for REST, newest first, without regrades."""
    statement = (
        select(Report.body)
        .where(Report.chat_id == chat_id, Report.kind == ReportKind.GRADING)
        .order_by(Report.created_at.desc(), Report.id.desc())
    )
    return list(await session.scalars(statement))


async def get_report(session: AsyncSession, report_id: int) -> tuple[Report, Account] | None:
    """Return a report of any kind and the account of its chat."""
    statement = (
        select(Report, Account)
        .join(Account, Account.id == Report.account_id)
        .where(Report.id == report_id)
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else (row[0], row[1])


async def sum_cost(session: AsyncSession, start: datetime, end: datetime) -> Decimal:
    """Return the cost in USD of the reports written in ``[start, end)``."""
    statement = select(func.coalesce(func.sum(Report.cost_usd), 0)).where(
        Report.created_at >= start, Report.created_at < end
    )
    return Decimal(await session.scalar(statement) or 0)


async def get_mean_completion_tokens(session: AsyncSession) -> float | None:
    """Return the mean number of completion tokens of one grading among the newest 200 reports.

    Reports of two gradings count, as half, only if there are no others. None without reports.
    """
    newest = (
        select(Report.completion_tokens, Report.repeat.is_(None).label("is_single"))
        .order_by(Report.id.desc())
        .limit(200)
        .subquery()
    )
    mean_of_all = func.avg(newest.c.completion_tokens)
    mean_of_single = mean_of_all.filter(newest.c.is_single)
    mean = await session.scalar(select(func.coalesce(mean_of_single, mean_of_all / 2)))
    return None if mean is None else float(mean)


async def mark_mailed(session: AsyncSession, digest_id: int, *, before: datetime | None) -> int:
    """Assign all unmailed reports created before the cut-off to a mail; return their number.

    ``before`` None: the cut-off is now. Every stored report was created before it, whatever its
    clock showed.
    """
    conditions = [Report.digest_id.is_(None), Report.kind == inline(ReportKind.GRADING)]
    if before is not None:
        conditions.append(Report.created_at < before)
    # The count is taken in SQL: a mail may carry many thousands of reports.
    carried = (
        update(Report).where(*conditions).values(digest_id=digest_id).returning(Report.id)
    ).cte("carried")
    return await session.scalar(select(func.count()).select_from(carried)) or 0


async def count_unmailed(session: AsyncSession, before: datetime | None) -> int:
    """Return the number of reports that the next mail with this cut-off would carry; None: now."""
    statement = select(func.count()).where(
        Report.digest_id.is_(None), Report.kind == inline(ReportKind.GRADING)
    )
    return int(
        await session.scalar(
            statement if before is None else statement.where(Report.created_at < before)
        )
        or 0
    )


async def get_newest_report_id(session: AsyncSession) -> int:
    """Return the upper bound of a list: reports that are written later are not in it."""
    driver = await _get_driver(session)
    return int(await driver.fetchval("SELECT coalesce(max(id), 0) FROM reports"))


async def list_bodies(
    session: AsyncSession,
    wanted: ReportFilter,
    zone: ZoneInfo,
    *,
    sort: ReportSort | None,
    scored: bool,
    after: Position | None,
    newest_id: int,
    limit: int,
) -> list[ReportBody]:
    """Return the next reports in this order, with their moments in ``zone``.

    ``scored``: read their scores, also if they are not sorted by score.
    """
    columns = f"reports.created_at, reports.id, {wanted.column('body')}::text"
    if scored or sort:
        columns += f", {wanted.column('score')}"
    sql, values = _select(columns, wanted, sort, after=after, newest_id=newest_id, limit=limit)
    if sort:
        # A generic plan sorts all reports for each page instead of reading the index of scores.
        await session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
    driver = await _get_driver(session)
    return [
        ReportBody(created_at, number, convert_to_zone(body, zone), *score)
        for created_at, number, body, *score in await driver.fetch(sql, *values)
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
        "1", wanted, None, after=None, newest_id=await get_newest_report_id(session), limit=most
    )
    driver = await _get_driver(session)
    return int(await driver.fetchval(f"SELECT count(*) FROM ({sql}) AS found", *values))  # noqa: S608 - as below


def _select(
    columns: str,
    wanted: ReportFilter,
    sort: ReportSort | None,
    *,
    after: Position | None,
    newest_id: int,
    limit: int,
) -> tuple[str, list[object]]:
    score = wanted.column("score")
    condition, values = wanted.condition()
    condition += " AND reports.id <= :newest_id"
    values["newest_id"] = newest_id
    if after is not None:
        is_after, position = make_condition(sort, score, after)
        condition += f" AND {is_after}"
        values |= position
    sql = f"""
        SELECT {columns} FROM reports {_JOIN_CURRENT if wanted.reviewed else ""}
        WHERE {condition}
        ORDER BY {make_order(sort, score)} LIMIT {limit:d}
    """  # noqa: S608 - columns and numbers are ours, values are parameters
    places = {name: f"${place}" for place, name in enumerate(values, start=1)}
    return _PARAMETER.sub(lambda match: places[match[1]], sql), list(values.values())


async def _get_driver(session: AsyncSession):  # type: ignore[no-untyped-def]
    connection = await session.connection()
    return (await connection.get_raw_connection()).driver_connection
