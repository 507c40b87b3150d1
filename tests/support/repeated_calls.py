"""Two calls for the same work: made while nobody works, at one service or two, and worked off one
by one.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from app.models import RunKind
from app.service import working
from tests.support.stage import GOOD_TALK, Stage, until

Answer = dict[str, Any]


async def graded(stage: Stage, chats: int) -> list[str]:
    """So many chats, each with a report; their ids."""
    ids = [stage.add_talk(*GOOD_TALK, title=f"Диван {number}").id for number in range(chats)]
    await stage.sync()
    await stage.analyze()
    return ids


async def open_runs(stage: Stage) -> int:
    return len(await stage.rows("SELECT 1 FROM runs WHERE state IN ('queued', 'running')"))


async def asked(stage: Stage, path: str, body: dict[str, Any]) -> asyncio.Task[Answer]:
    """A call that is under way: its run is in the queue, or somebody works on it."""
    before = await open_runs(stage)

    async def call() -> Answer:
        return dict((await stage.rest.post(f"/api/v1{path}", json=body)).json())

    async def queued() -> bool:
        return await open_runs(stage) > before

    task = asyncio.create_task(call())
    await until(queued)
    return task


@asynccontextmanager
async def nobody_working(*stages: Stage) -> AsyncIterator[None]:
    """They stop all at once: one that stopped later might take up what another gives back."""
    async with AsyncExitStack() as stopped:
        await asyncio.gather(*(stopped.enter_async_context(stage.resting()) for stage in stages))
        yield


async def asked_by_both(
    stage: Stage, replica: Stage, path: str, body: dict[str, Any]
) -> list[Answer]:
    """The answers to the same call at two replicas, the second made while the first waits in the
    queue.
    """
    async with nobody_working(stage, replica):
        calls = [await asked(one, path, body) for one in (stage, replica)]
    return await asyncio.gather(*calls)


async def work_off(stage: Stage, run_id: int) -> dict[str, Any]:
    """Has this run and no other carried out, while nobody else works."""
    (run,) = await stage.rows("SELECT kind FROM runs WHERE id = :id", id=run_id)

    async def ended() -> bool:
        return bool(
            await stage.rows("SELECT 1 FROM runs WHERE id = :id AND state = 'done'", id=run_id)
        )

    async with working(stage.service, only=(RunKind(run["kind"]), run_id)):
        await until(ended)
    return (await stage.rows("SELECT figures, message FROM runs WHERE id = :id", id=run_id))[0]
