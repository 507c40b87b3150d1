"""Two calls for the same work, and their runs executed one by one.

The calls are made while no worker runs, at one service or two.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from app.models import RunKind
from app.service import working
from tests.support.stage import GOOD_TALK, Stage, until

Answer = dict[str, Any]


async def grade_chats(stage: Stage, chats: int) -> list[str]:
    """Create this many chats, each with a report; return their IDs."""
    ids = [stage.add_talk(*GOOD_TALK, title=f"Диван {number}").id for number in range(chats)]
    await stage.sync()
    await stage.analyze()
    return ids


async def count_open_runs(stage: Stage) -> int:
    return len(await stage.rows("SELECT 1 FROM runs WHERE state IN ('queued', 'running')"))


async def start_call(stage: Stage, path: str, body: dict[str, Any]) -> asyncio.Task[Answer]:
    """Start a call and wait until its run is in the queue."""
    before = await count_open_runs(stage)

    async def call() -> Answer:
        return dict((await stage.rest.post(f"/api/v1{path}", json=body)).json())

    async def queued() -> bool:
        return await count_open_runs(stage) > before

    task = asyncio.create_task(call())
    await until(queued)
    return task


@asynccontextmanager
async def pause_workers(*stages: Stage) -> AsyncIterator[None]:
    """Stop the workers of all stages concurrently.

    A worker that stops later might claim a run that another has released.
    """
    async with AsyncExitStack() as stopped:
        await asyncio.gather(*(stopped.enter_async_context(stage.resting()) for stage in stages))
        yield


async def call_both(stage: Stage, replica: Stage, path: str, body: dict[str, Any]) -> list[Answer]:
    """Return the responses of two replicas to the same call.

    The second call is made while the run of the first is in the queue.
    """
    async with pause_workers(stage, replica):
        calls = [await start_call(one, path, body) for one in (stage, replica)]
    return await asyncio.gather(*calls)


async def execute_run(stage: Stage, run_id: int) -> dict[str, Any]:
    """Execute this run only, while no other worker runs."""
    (run,) = await stage.rows("SELECT kind FROM runs WHERE id = :id", id=run_id)

    async def ended() -> bool:
        return bool(
            await stage.rows("SELECT 1 FROM runs WHERE id = :id AND state = 'done'", id=run_id)
        )

    async with working(stage.service, only=(RunKind(run["kind"]), run_id)):
        await until(ended)
    return (await stage.rows("SELECT figures, message FROM runs WHERE id = :id", id=run_id))[0]
