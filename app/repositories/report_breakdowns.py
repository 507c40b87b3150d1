"""SQL of figures by listing, and by hour and weekday of the buyer's first message."""

from enum import IntEnum
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Double,
    Integer,
    RowMapping,
    Text,
    and_,
    case,
    cast,
    extract,
    func,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.domain.messages import Side
from app.domain.thresholds import BAD_BELOW, ENOUGH_REPORTS
from app.models import Chat, Message, Report
from app.repositories.report_figures import (
    IS_CRITICAL,
    WAITED_SECONDS,
    get_counted,
    select_counted,
)
from app.repositories.report_filter import ReportFilter

Row = RowMapping

NO_LISTING = 0
"""The group of chats without a listing. Avito's numbers of listings start at 1."""


class Split(IntEnum):
    """What a group has in common: the value of ``GROUPING(listing, hour, weekday)``."""

    LISTING = 0b011
    HOUR = 0b101
    WEEKDAY = 0b110


def _select_first_client_at() -> ColumnElement[Any]:
    """Return the time of the buyer's first message.

    For reports of a release without the column, it is that of the window, by two index lookups.
    """
    first = aliased(Message)
    in_window = (
        select(Message.sent_at)
        .join(first, first.id == Report.first_message_id)
        .where(
            Message.chat_id == Report.chat_id,
            Message.side == Side.CLIENT,
            Message.sent_at >= first.sent_at,
        )
        .order_by(Message.sent_at)
        .limit(1)
        .correlate(Report)
        .scalar_subquery()
    )
    return func.coalesce(Report.first_client_at, in_window)


async def measure_groups(
    session: AsyncSession, wanted: ReportFilter, zone: str, *, most: int, worst: int
) -> list[Row]:
    """Return the figures of each listing, hour and weekday, in one query.

    - ``split``: a :class:`Split`. Only its column of ``listing``, ``hour`` and ``weekday`` is set.
    - ``hour`` is 0 to 23, ``weekday`` 1 (Monday) to 7, both in ``zone``. None: not known.
    - ``title``: the listing's title in the newest report of the group.
    - ``place``: by number of reports, within a split. ``worst_place``: by the lowest mean among the
      listings with at least ``ENOUGH_REPORTS`` reports; None for other groups.
    - ``groups``, ``all_reports``: those of the whole split.

    Of the listings, only the ``most`` with most reports and the ``worst`` are returned.
    """
    of = _rank(_group(wanted, zone)).c
    newest = aliased(Report)
    statement = (
        select(*of, cast(newest.body["chat_title"].as_string(), Text).label("title"))
        .join(newest, newest.id == of.newest_id)
        .where(or_(of.split != Split.LISTING, of.place <= most, of.worst_place <= worst))
        .order_by(of.split, of.place)
    )
    return list((await session.execute(statement)).mappings())


def _group(wanted: ReportFilter, zone: str) -> CTE:
    # Materialized: otherwise Postgres looks a missing time up for the hour and for the weekday.
    selected = select_counted(
        wanted,
        zone,
        get_counted(wanted, "score"),
        WAITED_SECONDS.label("waited"),
        IS_CRITICAL.label("critical"),
        func.timezone(zone, _select_first_client_at()).label("asked_at"),
    ).prefix_with("MATERIALIZED")
    of = selected.c
    hour = cast(extract("hour", of.asked_at), Integer)
    weekday = cast(extract("isodow", of.asked_at), Integer)
    listing = func.coalesce(Chat.item_id, NO_LISTING)
    return (
        select(
            func.grouping(listing, hour, weekday, type_=Integer).label("split"),
            listing.label("listing"),
            hour.label("hour"),
            weekday.label("weekday"),
            *_make_aggregates(selected),
        )
        .join(Chat, Chat.id == of.chat_id)
        .group_by(func.grouping_sets(listing, hour, weekday))
        .cte("grouped")
    )


def _make_aggregates(selected: CTE) -> list[ColumnElement[Any]]:
    of = selected.c
    return [
        func.count().label("reports"),
        func.count(of.chat_id.distinct()).label("chats"),
        cast(func.avg(of.score), Double).label("mean_score"),
        func.count().filter(of.score < BAD_BELOW).label("bad_reports"),
        func.count().filter(of.critical).label("critical"),
        func.count(of.waited).label("answered"),
        func.percentile_cont(0.5).within_group(of.waited).label("median_seconds"),
        func.percentile_cont(0.9).within_group(of.waited).label("p90_seconds"),
        func.max(of.id).label("newest_id"),
    ]


def _rank(grouped: CTE) -> CTE:
    of = grouped.c
    may_be_worst = and_(
        of.split == Split.LISTING, of.listing != NO_LISTING, of.reports >= ENOUGH_REPORTS
    )
    by_mean = func.row_number().over(
        partition_by=may_be_worst,
        order_by=(of.mean_score, of.reports.desc(), of.newest_id.desc()),
    )
    return select(
        *of,
        func.row_number()
        .over(partition_by=of.split, order_by=(of.reports.desc(), of.newest_id.desc()))
        .label("place"),
        func.count().over(partition_by=of.split).label("groups"),
        cast(func.sum(of.reports).over(partition_by=of.split), Integer).label("all_reports"),
        case((may_be_worst, by_mean)).label("worst_place"),
    ).cte("ranked")
