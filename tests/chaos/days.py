"""One simulated date: messages, the report's moment, faults, and the end of its work."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from tests.chaos.postgres import OUTAGE_ERRORS
from tests.chaos.replicas import Replica
from tests.chaos.taps import Step, Trap
from tests.chaos.world import World

PATIENCE_SECONDS = 75.0
"""Timeout of a date's work: a lease, a pause between two attempts and the work itself.

After it the next date begins.
"""

_POLL_SECONDS = 0.4
_TAIL_SECONDS = 6.0
"""Timeout of deliveries that are open when the daily run has ended.

Their next attempt may be due on the next date.
"""
_ACTIVE = "SELECT count(*) FROM runs WHERE kind = 'daily' AND state IN ('queued', 'running')"
_OPEN = "SELECT count(*) FROM deliveries WHERE state IN ('queued', 'sending')"
_COVERING = "SELECT id FROM digests WHERE kind = 'daily' AND figures -> 'covered_days' ? $1"


@dataclass
class Day:
    """A date in progress. Faults stop waiting when ``over`` is set."""

    world: World
    date: date
    over: asyncio.Event = field(default_factory=asyncio.Event)
    kills: list[float] = field(default_factory=list)
    """Monotonic moments of SIGKILLs during its work."""
    until: float = 0.0
    """Monotonic end of the timeout; a long fault may extend it."""
    lock_frozen_at: float | None = None

    async def reach(self, step: Step, after: int, act: Callable[[Replica], bool]) -> Replica | None:
        """Act on the first replica that reaches a step for the ``after``-th time.

        Return the replica, or None if the date ends first. ``act`` is called at the step itself. If
        it returns False, the current chunk is dropped.
        """
        caught: asyncio.Future[Replica] = asyncio.get_running_loop().create_future()
        traps = [
            (replica, Trap(step, after, self._spring(replica, caught, act)))
            for replica in self.world.list_exposed()
        ]
        for replica, trap in traps:
            replica.taps.traps.append(trap)
        over = asyncio.ensure_future(self.over.wait())
        try:
            waiting: set[asyncio.Future[Any]] = {caught, over}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            return caught.result() if caught.done() else None
        finally:
            over.cancel()
            for replica, trap in traps:
                if trap in replica.taps.traps:
                    replica.taps.traps.remove(trap)

    def _spring(
        self, replica: Replica, caught: asyncio.Future[Replica], act: Callable[[Replica], bool]
    ) -> Callable[[], bool]:
        def spring() -> bool:
            if caught.done():
                return True
            caught.set_result(replica)
            return act(replica)

        return spring

    def kill(self, replica: Replica, details: str) -> None:
        """Kill a replica with SIGKILL and record it."""
        if replica.alive:
            replica.kill()
            self.kills.append(time.monotonic())
            self.world.note("kill", f"{replica.name} {details}")

    async def pause(self, seconds: float) -> None:
        """Wait, at most until the date is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.over.wait()


Fault = Callable[[Day], Coroutine[None, None, None]]


async def simulate_date(
    world: World,
    day: date,
    faults: Sequence[Fault],
    *,
    patience: float = PATIENCE_SECONDS,
    early_sync: bool = False,
    restart: bool = False,
) -> bool:
    """Simulate a date; return whether its mail existed before the timeout.

    - ``early_sync``: request a sync over REST before the report is due.
    - ``restart``: end replicas before the report is due, and start them when it is.
    """
    moment = world.calendar.moment(day)
    world.advance_to(moment - timedelta(minutes=50))
    world.dialogues.add_news(minutes=40)
    if early_sync:
        world.start()
        await world.post("/avito/sync")
    if world.rng.random() < (0.8 if early_sync else 0.2):
        await world.delete_recent()
    if restart:
        await _end_some(world)
    world.advance_to(moment + timedelta(seconds=1))
    world.dates.append(day)
    world.note("date", day)
    current = Day(world, day, until=time.monotonic() + patience)
    working = [asyncio.create_task(fault(current)) for fault in faults]
    await asyncio.sleep(0)
    world.start()
    if world.rng.random() < 0.3:
        world.dialogues.write_one()
    covered = await _wait_covered(current)
    _count(current, covered=covered)
    current.over.set()
    await asyncio.gather(*working)
    world.note("covered" if covered else "late", day)
    return covered


async def _end_some(world: World) -> None:
    """Kill or stop replicas between two dates.

    A starting replica checks at once for due work, and dates are shorter than the check's interval.
    """
    victims = world.list_victims()
    if len(victims) < len(world.list_exposed()):
        return
    for replica in world.rng.sample(victims, k=min(len(victims), world.rng.randint(1, 2))):
        if world.rng.random() < 0.75:
            replica.kill()
            world.note("kill", f"{replica.name} between dates")
            await replica.wait_ended()
        else:
            seconds = await replica.stop()
            world.note(
                "stop",
                f"{replica.name} between dates{'' if seconds is None else f' {seconds:.1f} s'}",
            )


def _count(day: Day, *, covered: bool) -> None:
    now = time.monotonic()
    if covered:
        day.world.recoveries.extend(now - killed for killed in day.kills)
    if day.lock_frozen_at is not None:
        day.world.lock_waits.append(now - day.lock_frozen_at)


async def _wait_covered(day: Day) -> bool:
    """Wait for the date's mail and for the end of the daily run."""
    world, found = day.world, False
    while time.monotonic() < day.until:
        with suppress(*OUTAGE_ERRORS):
            async with world.database.connected() as connection:
                await world.note_mails(connection)
                covering = await connection.fetch(_COVERING, day.date.isoformat())
                found = any(not world.is_early(row["id"], day.date) for row in covering)
                if found and not await connection.fetchval(_ACTIVE):
                    if not await connection.fetchval(_OPEN):
                        return True
                    day.until = min(day.until, time.monotonic() + _TAIL_SECONDS)
        await asyncio.sleep(_POLL_SECONDS)
    return found
