"""SQL of figures by listing, and by hour and weekday of the buyer's first message."""

from enum import IntEnum

from sqlalchemy import (
    CTE,
    BigInteger,
    Double,
    Integer,
    RowMapping,
    Text,
    and_,
    case,
    cast,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.thresholds import BAD_BELOW, ENOUGH_REPORTS
from app.models import Chat, Mark, Report, ReportFigures
from app.repositories.report_filter import ReportFilter
from app.repositories.report_measures import get_score, has_mark, make_spread, select_figures

Row = RowMapping

NO_LISTING = 0
"""The group of chats without a listing. Avito's numbers of listings start at 1."""


_EPOCH_WEEKDAY = 3
"""1970-01-01 was a Thursday: so many days after a Monday."""


class Split(IntEnum):
    """What a group has in common: the value of ``GROUPING(listing, hour, weekday)``."""

    LISTING = 0b011
    HOUR = 0b101
    WEEKDAY = 0b110


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
    # The limit prevents a join with all reports: Postgres expects many more groups than there are.
    newest = (
        select(cast(Report.body["chat_title"].as_string(), Text).label("title"))
        .where(Report.id == of.newest_id)
        .limit(1)
        .lateral("newest")
    )
    statement = (
        select(*of, newest.c.title)
        .join(newest, true())
        .where(or_(of.split != Split.LISTING, of.place <= most, of.worst_place <= worst))
        .order_by(of.split, of.place)
    )
    return list((await session.execute(statement)).mappings())


def _group(wanted: ReportFilter, zone: str) -> CTE:
    local = func.timezone(zone, ReportFigures.first_client_at)
    hours = cast(func.floor(func.date_part("epoch", local) / 3600), BigInteger)
    selected = (
        select_figures(
            wanted,
            ReportFigures.report_id,
            ReportFigures.chat_id,
            ReportFigures.first_answer_seconds,
            ReportFigures.marks,
            get_score(wanted),
            func.coalesce(Chat.item_id, NO_LISTING).label("listing"),
            hours.label("hours"),
        )
        .join(Chat, Chat.id == ReportFigures.chat_id)
        .cte("selected")
        .prefix_with("MATERIALIZED")
    )
    of = selected.c
    hour, weekday = of.hours % 24, (of.hours // 24 + _EPOCH_WEEKDAY) % 7 + 1
    return (
        select(
            func.grouping(of.listing, hour, weekday, type_=Integer).label("split"),
            of.listing,
            hour.label("hour"),
            weekday.label("weekday"),
            func.count().label("reports"),
            cast(func.round(func.avg(of.score), 2), Double).label("mean_score"),
            func.count().filter(of.score < BAD_BELOW).label("bad_reports"),
            func.count().filter(has_mark(of.marks, Mark.CRITICAL)).label("critical"),
            func.count(of.first_answer_seconds).label("answered"),
            func.max(of.report_id).label("newest_id"),
            *make_spread(selected),
        )
        .group_by(func.grouping_sets(of.listing, hour, weekday))
        .cte("grouped")
    )


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
