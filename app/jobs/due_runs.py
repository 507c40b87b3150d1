"""Queue the runs that are due: one function for each job of the scheduler.

Unique slots make the functions safe to call in every replica.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import at_local, local_date
from app.domain.delivery_retry import FIRST_RETRY
from app.models import RunKind
from app.repositories import covered_dates, deliveries, digests, runs
from app.services.run_params import MailParams

log = structlog.get_logger(__name__)


class Timetable(NamedTuple):
    """When runs are due: the report time in a time zone, and the sync interval."""

    report_time: time
    zone: ZoneInfo
    sync_every: timedelta


QueueDueRun = Callable[[AsyncSession, Timetable, datetime], Awaitable[None]]
"""Queue the run that is due at the moment, unless it exists already."""


def find_newest_due_day(timetable: Timetable, now: datetime) -> date:
    """Return the last day whose report time has come.

    It compares moments, so it is correct when the clocks change.
    """
    today = local_date(now, timetable.zone)
    return (
        today
        if at_local(today, timetable.report_time, timetable.zone) <= now
        else today - timedelta(days=1)
    )


def find_next_report_time(timetable: Timetable, now: datetime) -> datetime:
    """Return the moment at which the next daily run is due."""
    return at_local(
        find_newest_due_day(timetable, now) + timedelta(days=1),
        timetable.report_time,
        timetable.zone,
    )


CLOCK_TOLERANCE = timedelta(hours=2, minutes=30)
"""A row created later than this from now was created by a clock that was ahead.

If a clock is put back by less than this, or differs from another replica's clock, no date is mailed
twice.
"""


async def queue_daily_run(session: AsyncSession, timetable: Timetable, now: datetime) -> None:
    """Queue the run of the newest due date.

    If there are no runs, only today is due. Otherwise that run covers missed dates. Future slots,
    taken by a clock that was ahead, are released.

    Slots of dates to come are released: a clock that was ahead has taken them.
    """
    today = local_date(now, timetable.zone)
    ahead = now + CLOCK_TOLERANCE
    if await runs.release_later_slots(
        session, after=f"{today}~", created_after=ahead, kinds=list(RunKind)
    ):
        log.warning("tick.slots_released", today=today.isoformat())
    await covered_dates.release_later(session, today=today, created_after=ahead)
    due = find_newest_due_day(timetable, now)
    newest = await runs.get_newest_slot(session, RunKind.DAILY, created_until=ahead)
    if newest is None:
        if due == today:
            await runs.add_run(session, RunKind.DAILY, now=now, slot=due.isoformat())
        return
    last = date.fromisoformat(newest)
    if due <= last:
        return
    run_id = await runs.add_run(session, RunKind.DAILY, now=now, slot=due.isoformat())
    if run_id is not None:
        missed = [(last + timedelta(days=n)).isoformat() for n in range(1, (due - last).days)]
        await runs.merge_missed(session, run_id, missed, now=now)


async def queue_sync_run(session: AsyncSession, timetable: Timetable, now: datetime) -> None:
    """Queue the interval's sync.

    If one is still queued, it covers the later interval too.
    """
    start = _find_interval_start(now, timetable.sync_every)
    following = start + timetable.sync_every
    await runs.release_later_slots(
        session,
        after=following.isoformat(),
        created_after=now + timetable.sync_every,
        kinds=[RunKind.SYNC],
    )
    if not await runs.has_queued(session, RunKind.SYNC):
        await runs.add_run(session, RunKind.SYNC, now=now, slot=start.isoformat())


async def queue_retry_run(session: AsyncSession, _timetable: Timetable, now: datetime) -> None:
    """Queue a run for the deliveries whose next try is due.

    The run also renders mails whose process stopped before they were rendered. Its parameters name
    the deliveries, so the clock of the replica that executes it does not matter.
    """
    due = await deliveries.take_due(session, now, again_at=now + FIRST_RETRY)
    if due:
        await runs.add_run(
            session,
            RunKind.MAIL,
            now=now,
            slot=f"retry {now.isoformat()}",
            params=MailParams(deliveries=tuple(due)).as_json(),
        )
    elif await digests.has_unrendered(session, before=now - FIRST_RETRY):
        await runs.add_run(
            session,
            RunKind.MAIL,
            now=now,
            slot=f"retry {_find_interval_start(now, FIRST_RETRY).isoformat()}",
        )


def _find_interval_start(now: datetime, length: timedelta) -> datetime:
    seconds = length.total_seconds()
    return datetime.fromtimestamp(now.timestamp() // seconds * seconds, UTC)
