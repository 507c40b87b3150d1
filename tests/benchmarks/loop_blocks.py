"""The longest block of this process's event loop."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

_TICK_SECONDS = 0.005


@dataclass
class LongestBlock:
    """By how much the loop was late at most, in milliseconds.

    ``busy_ms``: the most processor time of the loop's thread between two ticks. The difference is
    time in which another thread or process had the interpreter or the processor.
    """

    late_ms: float = 0.0
    busy_ms: float = 0.0


@asynccontextmanager
async def watch_loop() -> AsyncIterator[LongestBlock]:
    """Measure within the context."""
    found = LongestBlock()
    watcher = asyncio.create_task(_tick(found))
    await asyncio.sleep(2 * _TICK_SECONDS)
    try:
        yield found
    finally:
        await asyncio.sleep(2 * _TICK_SECONDS)
        watcher.cancel()


async def _tick(found: LongestBlock) -> None:
    while True:
        start, busy = time.perf_counter(), time.thread_time()
        await asyncio.sleep(_TICK_SECONDS)
        late = time.perf_counter() - start - _TICK_SECONDS
        found.late_ms = max(found.late_ms, late * 1000)
        found.busy_ms = max(found.busy_ms, (time.thread_time() - busy) * 1000)
