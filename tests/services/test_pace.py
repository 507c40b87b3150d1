"""Requests per minute are those of the service, whatever the number of its processes."""

import asyncio
import math
import time
from contextlib import suppress

from app.database.engine import Database
from app.sandbox.avito import LocalAvito
from app.sandbox.server import Sandbox
from app.services.pace import SharedPace, share_pace
from tests.support.stage import Stage, on_stage

_TASKS = 40
"""Of each process; they wait at the same time."""


async def count_admitted(*paces: SharedPace, seconds: float, enough: float = math.inf) -> int:
    """Send requests through each pace as fast as it admits them, and return their number.

    ``enough``: so many admitted requests end the count before its time.
    """
    admitted = 0
    is_enough = asyncio.Event()

    async def request(pace: SharedPace) -> None:
        nonlocal admitted
        while True:
            async with pace:
                admitted += 1
            if admitted >= enough:
                is_enough.set()

    calls = [asyncio.create_task(request(pace)) for pace in paces for _ in range(_TASKS)]
    with suppress(TimeoutError):
        await asyncio.wait_for(is_enough.wait(), seconds)
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    return admitted


async def test_two_processes_share_a_pace(database: Database) -> None:
    started = time.monotonic()
    processes = [SharedPace(database, "avito 1", 1200) for _ in range(2)]
    admitted = await count_admitted(*processes, seconds=2)
    spent = time.monotonic() - started
    burst, evenly = 120, 1080 / 61
    assert burst <= admitted <= burst + evenly * (spent + 1)


async def test_pace_of_another_name_is_not_shared(database: Database) -> None:
    """Two bursts are admitted before one pace would admit the second: it would need six seconds."""
    bursts = 2 * 60
    processes = [SharedPace(database, f"avito {number}", 600) for number in range(2)]
    assert await count_admitted(*processes, seconds=4, enough=bursts) >= bursts


async def test_unused_moments_are_not_kept(database: Database) -> None:
    """A process that pauses admits no more than the burst afterwards."""
    pace = SharedPace(database, "avito 1", 600)
    async with pace:
        pass
    await asyncio.sleep(1.2)
    other = SharedPace(database, "avito 1", 600)
    assert await count_admitted(pace, other, seconds=0.3) <= 60 + 10 * 1.5


async def test_zero_limit_admits_everything(database: Database) -> None:
    gate = share_pace(database, "avito 1", 0)
    for _ in range(1000):
        async with gate:
            pass


async def test_syncs_of_two_processes_share_the_minute(
    database_url: str, shared_pool: Database
) -> None:
    """The second sync begins in another process, without another burst."""
    async with Sandbox(avito=LocalAvito()) as sandbox:
        sandbox.avito.add_synthetic_chats(40, 1)
        started = time.monotonic()
        for _ in range(2):
            async with on_stage(
                database_url, sandbox, pool=shared_pool, avito_requests_per_minute=300
            ) as process:
                await asyncio.wait_for(full_sync(process), 60)
        spent = time.monotonic() - started
        assert len(sandbox.avito.requests) <= 30 + (spent + 1) * 270 / 60


async def full_sync(process: Stage) -> None:
    assert (await process.sync(full=True))["synced_chats"] == 40
