"""Faults of the replicas' processes: SIGKILL, SIGSTOP and SIGTERM."""

import asyncio
import time
from contextlib import suppress

from tests.chaos.days import Day
from tests.chaos.postgres import OUTAGE_ERRORS
from tests.chaos.replicas import Replica
from tests.chaos.taps import Step

_LEASE_SECONDS = 30.0


# --- SIGKILL ---


async def kill_at(step: Step, day: Day) -> None:
    """Kill the replica that reaches a step.

    The current chunk is sent or dropped.
    """
    rng, after = (
        day.world.rng,
        day.world.rng.randint(1, 6 if step in (Step.SYNC, Step.GRADE, Step.GRADED) else 2),
    )
    keep = rng.random() < 0.5 and step in (Step.SYNC, Step.GRADE, Step.MAIL)

    def act(replica: Replica) -> bool:
        if step is Step.ACKNOWLEDGED:
            asyncio.get_running_loop().call_later(
                rng.choice((0, 0.002, 0.01)), day.kill, replica, step
            )
            return True
        day.kill(replica, step)
        return keep

    await _restart(day, await day.reach(step, after, act))


async def kill_anywhere(day: Day) -> None:
    """Kill the replica that sends a random query."""

    def act(replica: Replica) -> bool:
        day.kill(replica, Step.QUERY)
        return day.world.rng.random() < 0.5

    await _restart(day, await day.reach(Step.QUERY, day.world.rng.randint(5, 300), act))


async def kill_idle(day: Day) -> None:
    """Kill a random replica at a random time."""
    await day.pause(day.world.rng.uniform(0, 4))
    if victims := day.world.list_victims():
        replica = day.world.rng.choice(victims)
        day.kill(replica, "idle")
        await _restart(day, replica)


async def cut_power(day: Day) -> None:
    """Kill all replicas at once, at a step."""
    step = day.world.rng.choice((Step.SYNC, Step.GRADE, Step.GRADED, Step.MAIL, Step.AFTER_DOT))

    def act(replica: Replica) -> bool:
        for one in day.world.list_victims():
            day.kill(one, f"power cut, {step}")
        return False

    if await day.reach(step, day.world.rng.randint(1, 3), act):
        await asyncio.sleep(day.world.rng.uniform(0, 2))
        day.world.start()


async def kill_at_start(day: Day) -> None:
    """Kill one replica repeatedly while it starts."""
    for _ in range(day.world.rng.randint(3, 6)):
        await asyncio.sleep(day.world.rng.uniform(0.2, 1.5))
        victims = day.world.list_victims()
        if not victims:
            return
        replica = day.world.rng.choice(victims)
        day.kill(replica, "starting")
        await replica.wait_ended()
        replica.start()


async def _restart(day: Day, replica: Replica | None) -> None:
    if replica is None:
        return
    await asyncio.sleep(0.02)  # a delayed kill may still follow
    await replica.wait_ended()
    if day.world.rng.random() < 0.7:  # otherwise it is down until the next date
        await day.pause(day.world.rng.choice((0, 0.5, 3)))
        replica.start()


# --- SIGSTOP and SIGTERM ---


async def freeze_at(step: Step, day: Day) -> None:
    """Freeze a replica at a step for longer than its lease, then thaw it."""
    seconds = day.world.rng.uniform(_LEASE_SECONDS + 5, _LEASE_SECONDS + 15)

    def act(replica: Replica) -> bool:
        replica.freeze()
        day.world.note("freeze", f"{replica.name} {step} {seconds:.0f} s")
        return True

    if replica := await day.reach(step, day.world.rng.randint(1, 2), act):
        await asyncio.sleep(seconds)
        replica.thaw()
        day.world.note("thaw", replica.name)


async def freeze_in_lock(day: Day) -> None:
    """Freeze a replica in a transaction that holds the advisory lock of chats.

    The network is slow meanwhile, so that the transaction can be caught.
    """
    for replica in day.world.replicas:
        replica.proxies["postgres"].delay_seconds = 0.02
    frozen = await _catch_in_lock(day)
    for replica in day.world.replicas:
        replica.proxies["postgres"].delay_seconds = 0.0
    if frozen is not None:
        await asyncio.gather(day.pause(120), asyncio.sleep(_LEASE_SECONDS + 5))
        frozen.thaw()
        day.world.note("thaw", frozen.name)


async def _catch_in_lock(day: Day) -> Replica | None:
    with suppress(*OUTAGE_ERRORS):
        async with day.world.database.connected() as connection:
            while not day.over.is_set():
                rows = await connection.fetch(
                    "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"
                )
                holders = {row["pid"] for row in rows}
                for replica in day.world.list_victims():
                    if holders & {wire.backend for wire in replica.proxies["postgres"].wires}:
                        replica.freeze()
                        day.lock_frozen_at = time.monotonic()
                        day.until = day.lock_frozen_at + 125
                        day.world.note("freeze", f"{replica.name} in the lock")
                        return replica
                await asyncio.sleep(0.002)
    return None


async def stop_at(step: Step, day: Day) -> None:
    """Stop a replica at a step with SIGTERM and start it again."""
    if replica := await day.reach(step, day.world.rng.randint(1, 3), lambda _: True):
        await stop_replica(day, replica, step)
        replica.start()


async def restart_in_turn(day: Day) -> None:
    """Stop and start the replicas in turn."""
    for replica in day.world.list_victims():
        await stop_replica(day, replica, "rolling restart")
        replica.start()
        await asyncio.sleep(day.world.rng.uniform(0.5, 2))


async def stop_replica(day: Day, replica: Replica, details: str) -> None:
    seconds = await replica.stop()
    day.world.note(
        "stop", f"{replica.name} {details} {'' if seconds is None else f'{seconds:.1f} s'}"
    )
