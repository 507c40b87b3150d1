"""Figures by listing, and by hour and weekday of the buyer's first message."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.thresholds import GOOD_FROM
from app.repositories.report_breakdowns import NO_LISTING, Row, Split, measure_groups
from app.repositories.report_filter import ReportFilter
from app.services.digests.figures import FirstAnswer, ListingFigures
from app.services.display_text import display_title

LISTINGS = 50
"""The most listings of a breakdown: those with most reports."""
WORST_LISTINGS = 3


@dataclass(frozen=True)
class GroupMeasures:
    """The figures of a group of reports, however few they are."""

    reports: int
    chats: int
    mean_score: float
    bad_reports: int
    critical_reports: int
    first_answer: FirstAnswer


@dataclass(frozen=True)
class ListingGroup:
    """The reports of one listing, or of all chats without a listing (``item_id`` None)."""

    item_id: int | None
    title: str
    measures: GroupMeasures


@dataclass(frozen=True)
class Breakdowns:
    """The figures of a filter's reports, by listing (most reports first), hour and weekday.

    ``other_listings``, ``other_reports``: the number of listings that are left out, and of their
    reports. Hours are 0 to 23, weekdays 1 (Monday) to 7. Those without reports are left out.
    """

    listings: list[ListingGroup]
    other_listings: int
    other_reports: int
    worst_listings: tuple[ListingFigures, ...]
    hours: dict[int, GroupMeasures]
    weekdays: dict[int, GroupMeasures]


async def measure_breakdowns(session: AsyncSession, wanted: ReportFilter, zone: str) -> Breakdowns:
    """Measure the reports of a filter in one query. Hours and weekdays are those of ``zone``."""
    rows = await measure_groups(session, wanted, zone, most=LISTINGS, worst=WORST_LISTINGS)
    listings = [row for row in rows if row["split"] == Split.LISTING]
    listed = [row for row in listings if row["place"] <= LISTINGS]
    left_out = listings[0]["groups"] - len(listed) if listings else 0
    return Breakdowns(
        listings=[
            ListingGroup(_get_item_id(row), row["title"], _make_measures(row)) for row in listed
        ],
        other_listings=left_out,
        other_reports=(
            listings[0]["all_reports"] - sum(row["reports"] for row in listed) if left_out else 0
        ),
        worst_listings=_choose_worst(listings),
        hours=_index(rows, Split.HOUR, "hour"),
        weekdays=_index(rows, Split.WEEKDAY, "weekday"),
    )


async def list_worst_listings(
    session: AsyncSession, wanted: ReportFilter, zone: str
) -> tuple[ListingFigures, ...]:
    """Return the listings with the lowest means, as :func:`measure_breakdowns` finds them."""
    rows = await measure_groups(session, wanted, zone, most=0, worst=WORST_LISTINGS)
    return _choose_worst(row for row in rows if row["split"] == Split.LISTING)


def _choose_worst(listings: Iterable[Row]) -> tuple[ListingFigures, ...]:
    """Return the worst listings. A good one is left out, and one that a reader cannot identify."""
    worst = [
        row
        for row in listings
        if row["worst_place"]
        and row["worst_place"] <= WORST_LISTINGS
        and row["mean_score"] < GOOD_FROM
        and row["title"] != display_title(None)
    ]
    return tuple(
        ListingFigures(
            item_id=row["listing"],
            chat_title=row["title"],
            reports=row["reports"],
            mean_score=row["mean_score"],
        )
        for row in sorted(worst, key=lambda row: row["worst_place"])
    )


def _index(rows: Iterable[Row], split: Split, column: str) -> dict[int, GroupMeasures]:
    groups = (row for row in rows if row["split"] == split and row[column] is not None)
    return {row[column]: _make_measures(row) for row in sorted(groups, key=lambda row: row[column])}


def _make_measures(row: Row) -> GroupMeasures:
    return GroupMeasures(
        reports=row["reports"],
        chats=row["chats"],
        mean_score=row["mean_score"],
        bad_reports=row["bad_reports"],
        critical_reports=row["critical"],
        first_answer=FirstAnswer(
            answered=row["answered"],
            median_seconds=row["median_seconds"],
            p90_seconds=row["p90_seconds"],
        ),
    )


def _get_item_id(row: Row) -> int | None:
    return None if row["listing"] == NO_LISTING else row["listing"]
