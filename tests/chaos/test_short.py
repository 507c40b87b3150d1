"""A few simulated dates with kills and a clock that jumps, judged as a long run of ``make chaos`` is."""

from datetime import date, time, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import make_url

from tests.chaos.days import Day, Fault, live_through
from tests.chaos.evidence import gather
from tests.chaos.invariants import judge
from tests.chaos.journal import Journal
from tests.chaos.postgres import Postgres
from tests.chaos.replicas import Replica
from tests.chaos.taps import Step
from tests.chaos.world import Calendar, World, open_world
from tests.stage import until

FIRST = date(2027, 3, 27)
"""The night after it the clocks are put forward in Berlin, over the report's time."""
BERLIN = Calendar(ZoneInfo("Europe/Berlin"), time(2, 30), FIRST)


def cut_power_at(step: Step) -> Fault:
    """All replicas are killed at a step, and started again when their leases have run out."""

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
    """Leaves no replica; in the database half a minute passes. A start looks at once for what is due, which saves the test a minute."""
    for replica in world.replicas:
        replica.kill()
    for replica in world.replicas:
        await replica.ended()
    await world.database.execute("UPDATE runs SET lease_until = now() - interval '1 second' WHERE state = 'running'")


async def put_clock_ahead(day: Day) -> None:
    """The replica starts 26 hours ahead, mails for a date that has not come, and starts again with the true time."""
    world, [replica] = day.world, day.world.replicas
    replica.clock_error = timedelta(hours=26)
    await until(partial(has_mailed_ahead, day))
    await replica.stop()
    world.heal()
    world.start()


async def has_mailed_ahead(day: Day) -> bool:
    """Whether the mail of a date that has not come is there and its daily run has ended."""
    at_work = "SELECT 1 FROM runs WHERE kind = 'daily' AND state IN ('queued', 'running')"
    ahead = await day.world.database.rows("SELECT 1 FROM digests WHERE day > $1", day.date)
    return bool(ahead) and not await day.world.database.rows(at_work)


async def test_dates_with_kills_and_a_jumping_clock_lose_and_repeat_nothing(database_url: str, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "events.log")
    database = Postgres(make_url(database_url))
    async with open_world("short", BERLIN, database, journal, tmp_path, seed="1", replicas=1) as world:
        assert await live_through(world, FIRST, [cut_power_at(Step.GRADE)])
        await end_all(world)
        assert await live_through(world, FIRST + timedelta(days=1), [put_clock_ahead])
        await end_all(world)
        world.dates.append(FIRST + timedelta(days=2))
        assert await live_through(world, FIRST + timedelta(days=3), [cut_power_at(Step.AFTER_DOT)])
        evidence = await gather(world)
    journal.close()
    assert {title: words for title, words in judge(evidence).items() if words} == {}
    assert evidence.kills >= 4
    assert len(evidence.dates) == 4
