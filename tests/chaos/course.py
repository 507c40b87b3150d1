"""The course of a world: dates with faults, then quiet dates, then the evidence."""

import asyncio
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import date, timedelta
from datetime import time as clock_time
from zoneinfo import ZoneInfo

from tests.chaos.days import simulate_date
from tests.chaos.evidence import Evidence, gather
from tests.chaos.faults import draw_faults
from tests.chaos.postgres import OUTAGE_ERRORS, thaw
from tests.chaos.world import Calendar, World

SETTLE_SECONDS = 170.0
"""Time limit of the quiet dates at the end."""

_DOWNTIME = 0.06
"""Probability that all replicas are down for days before a date."""
_EMPTY = """
    SELECT (SELECT count(*) FROM runs WHERE state IN ('queued', 'running'))
         + (SELECT count(*) FROM deliveries WHERE state IN ('queued', 'sending'))
         + (SELECT count(*) FROM chats WHERE messages_due OR grading_token IS NOT NULL)
"""

_EXPIRE_CLAIMS = """
    UPDATE deliveries SET claimed_until = now() - interval '1 second'
    WHERE state = 'sending' AND claimed_until < now() + interval '660 seconds'
        AND (claim_backend IS NULL OR NOT EXISTS (
            SELECT FROM pg_stat_activity
            WHERE pid || ' ' || extract(epoch FROM backend_start)
                = split_part(claim_backend, ' ', 1) || ' ' || split_part(claim_backend, ' ', 2)))
"""
"""Ends the twelve minutes for which a claim past the dot is kept after a restart of Postgres.

The clock of Postgres is not shifted, so the time cannot pass otherwise.
"""


def _build_calendar(zone: str, hour: int, minute: int, year: int, month: int, day: int) -> Calendar:
    return Calendar(ZoneInfo(zone), clock_time(hour, minute), date(year, month, day))


CALENDARS = (
    _build_calendar("Europe/Moscow", 20, 0, 2026, 12, 1),
    _build_calendar("Europe/Berlin", 2, 30, 2027, 3, 25),
    _build_calendar("America/New_York", 1, 30, 2027, 11, 4),
    _build_calendar("Australia/Lord_Howe", 2, 15, 2027, 9, 30),
    _build_calendar("Africa/Cairo", 0, 30, 2027, 4, 27),
    _build_calendar("America/Santiago", 0, 10, 2027, 9, 2),
    _build_calendar("Europe/Berlin", 2, 30, 2027, 10, 28),
    _build_calendar("America/New_York", 2, 30, 2027, 3, 11),
    _build_calendar("Australia/Lord_Howe", 1, 45, 2027, 4, 1),
    _build_calendar("Africa/Cairo", 23, 30, 2027, 10, 26),
)
"""Each begins a few dates before a clock change.

The report time does not exist that night, or occurs twice.
"""


async def run_course(world: World, until: float, only: Collection[str] = ()) -> Evidence:
    """Simulate dates until a monotonic moment, let the world settle, and gather the evidence.

    ``only``: names of the kinds of faults to draw from; then replicas are not restarted between
    dates and have no downtime, unless one of these kinds does it.
    """
    watch = asyncio.create_task(world.watch(), name=f"watch-{world.name}")
    try:
        day = world.calendar.first
        await simulate_date(world, day, ())
        while time.monotonic() < until - SETTLE_SECONDS:
            if not only:
                day += timedelta(days=await _simulate_downtime(world))
            drawn = draw_faults(world.rng, own_cluster=world.database.folder is not None, only=only)
            world.note("faults", ", ".join(name for name, _ in drawn))
            day += timedelta(days=1)
            faults = [fault for _, fault in drawn]
            await simulate_date(
                world,
                day,
                faults,
                early_sync=world.rng.random() < 0.4,
                restart=not only and world.rng.random() < 0.8,
            )
            _end_policy(world, day)
        await settle(world, day, until)
        return await gather(world)
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)


async def _simulate_downtime(world: World) -> int:
    """Sometimes stop all replicas for days with due reports; return the number of days."""
    if world.rng.random() >= _DOWNTIME:
        return 0
    days = world.rng.randint(1, 4)
    world.note("downtime", f"{days} days")
    for replica in world.replicas:
        await replica.stop()
    last = world.dates[-1]
    world.dates.extend(last + timedelta(days=number) for number in range(1, days + 1))
    return days


def _end_policy(world: World, day: date) -> None:
    if world.policy_until is not None and day >= world.policy_until:
        world.policy_until = None
        world.heal_mail()
        world.note("smtp.heal")


async def settle(world: World, day: date, until: float) -> None:
    """Simulate two dates without faults, then wait for unfinished work."""
    world.heal()
    world.policy_until = None
    if world.database.folder is not None:
        thaw(world.database.folder)
    world.exempt_until.clear()
    world.note("settle")
    world.start()
    for number in (1, 2):
        await simulate_date(
            world,
            day + timedelta(days=number),
            (),
            patience=max(5.0, min(75.0, (until - time.monotonic()) / 2)),
        )
        with suppress(*OUTAGE_ERRORS):
            await world.database.execute(_EXPIRE_CLAIMS)
    while time.monotonic() < until and not await _is_empty(world):  # noqa: ASYNC110 - the state is in the tables
        await asyncio.sleep(1)
    _mark_stuck(world)


async def _is_empty(world: World) -> bool:
    try:
        return int((await world.database.rows(_EMPTY))[0][0]) == 0
    except OUTAGE_ERRORS:
        return False


def _mark_stuck(world: World) -> None:
    for replica in world.replicas:
        if replica.stuck:
            replica.ledger.stuck[-1].at_end = True


def list_calendars(numbers: Iterable[int]) -> list[Calendar]:
    """Return a calendar for each world."""
    return [CALENDARS[number % len(CALENDARS)] for number in numbers]
