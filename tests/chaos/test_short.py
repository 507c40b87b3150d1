"""A few simulated dates with kills and a jumping clock, with the checks of ``make chaos``."""

from contextlib import closing
from datetime import date, time, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import make_url

from tests.chaos.days import Day, Fault, simulate_date
from tests.chaos.evidence import gather
from tests.chaos.invariants import run_checks
from tests.chaos.journal import Journal
from tests.chaos.postgres import Postgres
from tests.chaos.replicas import Replica
from tests.chaos.taps import Step
from tests.chaos.world import Calendar, World, open_world
from tests.support.stage import until

FIRST = date(2027, 3, 27)
"""In the following night the clocks in Berlin are advanced across the report's time."""
BERLIN = Calendar(ZoneInfo("Europe/Berlin"), time(2, 30), FIRST)

PATIENCE_SECONDS = 100.0
"""For a busy machine."""


def cut_power_at(step: Step) -> Fault:
    """Kill all replicas at a step, and start them after their leases have expired."""

    async def cut_power(day: Day) -> None:
        def act(_: Replica) -> bool:
            for replica in day.world.replicas:
                day.kill(replica, step)
            return False

        await day.reach(step, 1, act)
        await end_all(day.world)
        day.world.start()

    return cut_power


async def end_all(world: World) -> None:
    """Kill all replicas and expire leases and claims in the database.

    A starting replica checks at once for due work.
    """
    for replica in world.replicas:
        replica.kill()
    for replica in world.replicas:
        await replica.wait_ended()
    await world.database.execute(
        "UPDATE runs SET lease_until = now() - interval '1 second' WHERE state = 'running'"
    )
    await world.database.execute(
        "UPDATE deliveries SET claimed_until = now() - interval '1 second' WHERE claimed_until IS"
        " NOT NULL"
    )


async def put_clock_ahead(day: Day) -> None:
    """Start the replica 26 hours ahead, so that it mails for a future date; then correct it.

    After the correction it mails for the date itself.
    """
    world, [replica] = day.world, day.world.replicas
    replica.clock_error = timedelta(hours=26)
    await until(partial(has_mailed, world, day.date + timedelta(days=1)), seconds=PATIENCE_SECONDS)
    await replica.stop()
    world.heal()
    world.start()
    await until(partial(has_mailed, world, day.date), seconds=PATIENCE_SECONDS)


async def has_mailed(world: World, day: date) -> bool:
    """Return whether the daily mail of a date exists and its run has ended."""
    at_work = "SELECT 1 FROM runs WHERE kind = 'daily' AND state IN ('queued', 'running')"
    mailed = await world.database.rows(
        "SELECT 1 FROM digests WHERE kind = 'daily' AND day = $1", day
    )
    return bool(mailed) and not await world.database.rows(at_work)


async def test_dates_with_kills_and_a_jumping_clock_satisfy_the_invariants(
    database_url: str, tmp_path: Path
) -> None:
    database = Postgres(make_url(database_url))
    with closing(Journal(tmp_path / "events.log")) as journal:
        async with open_world(
            "short", BERLIN, database, journal, tmp_path, seed="1", replicas=1
        ) as world:
            assert await simulate_date(
                world, FIRST, [cut_power_at(Step.GRADE)], patience=PATIENCE_SECONDS
            )
            await end_all(world)
            assert await simulate_date(
                world, FIRST + timedelta(days=1), [put_clock_ahead], patience=PATIENCE_SECONDS
            )
            await end_all(world)
            world.dates.append(FIRST + timedelta(days=2))
            assert await simulate_date(
                world,
                FIRST + timedelta(days=3),
                [cut_power_at(Step.AFTER_DOT)],
                patience=PATIENCE_SECONDS,
            )
            evidence = await gather(world)
    assert {title: lines for title, lines in run_checks(evidence).items() if lines} == {}
    assert evidence.kills >= 4
    assert len(evidence.dates) == 4
