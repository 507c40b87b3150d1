"""Compare a mail with earlier ones: the day before, the same weekdays, and the last two weeks."""

from collections.abc import Sequence
from datetime import date, timedelta
from statistics import mean
from typing import TypedDict

from sqlalchemy.ext.asyncio import AsyncSession

from app.repositories import mail_days, report_figures
from app.repositories.report_filter import ReportFilter
from app.services.digests.figures import Baseline, MailedDay
from app.services.digests.measures import Measured, measure_reports

DAYS = 14
WEEKS = 4


class DayComparison(TypedDict):
    """The fields of :class:`DigestFigures` for comparison. A baseline without mails is None."""

    day_before: Baseline | None
    same_weekdays: Baseline | None
    days: tuple[MailedDay, ...]


async def compare_days(
    session: AsyncSession,
    measured: Measured,
    covered_days: Sequence[date],
    zone: str,
    *,
    working_time: bool,
) -> DayComparison:
    """Compare the reports of mails, which cover ``covered_days``, with those of earlier mails.

    ``measured``: the figures of these reports. ``working_time``: their answer times are counted in
    working hours. The mails have the newest of ``covered_days`` as their date.
    """
    first, last = min(covered_days), max(covered_days)
    weekdays = [last - timedelta(weeks=weeks) for weeks in range(1, WEEKS + 1)]
    return DayComparison(
        day_before=await _make_baseline(
            session, [first - timedelta(days=1)], measured, zone, working_time
        ),
        same_weekdays=await _make_baseline(session, weekdays, measured, zone, working_time),
        days=await _list_days(session, last),
    )


async def _make_baseline(
    session: AsyncSession, days: Sequence[date], measured: Measured, zone: str, working_time: bool
) -> Baseline | None:
    waiting = await mail_days.count_waiting_buyers(session, days)
    if not waiting:
        return None
    before = await measure_reports(session, ReportFilter(mailed_on=list(waiting)), zone)
    return Baseline(
        days=tuple(waiting),
        reports=before.total.reports,
        mean_score=before.total.mean_score,
        bad_reports=before.total.bad_reports,
        first_answer=before.total.first_answer,
        waiting_buyers=mean(waiting.values()),
        same_series=len(before.by_series.keys() | measured.by_series.keys()) == 1,
        same_hours=await mail_days.list_answer_times(session, days) <= {working_time},
    )


async def _list_days(session: AsyncSession, last: date) -> tuple[MailedDay, ...]:
    """Return the fourteen days up to ``last`` with their mails."""
    earlier = [last - timedelta(days=ago) for ago in range(DAYS - 1, 0, -1)]
    rows = {
        row["day"]: row for row in await report_figures.list_mailed_days(session, [*earlier, last])
    }
    days: list[MailedDay] = []
    series_before: set[str] = set()
    builds_before: set[str] = set()
    for day in (*earlier, last):
        row = rows.get(day)
        if row is None:
            days.append(MailedDay(day=day, reports=0, mean_score=None))
            continue
        series, builds = set(row["series"]), set(row["builds"])
        days.append(
            MailedDay(
                day=day,
                reports=row["reports"],
                mean_score=row["mean_score"],
                new_series=bool(series_before and series - series_before),
                new_build=bool(builds_before and builds - builds_before),
            )
        )
        series_before, builds_before = series, builds_before | builds
    return tuple(days)
