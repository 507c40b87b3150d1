"""Results of a benchmark, and measurement of memory, processor time and the event loop."""

import asyncio
import gc
import resource
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]


@dataclass(frozen=True)
class Measure:
    """One figure and its reference value."""

    what: str
    figure: str
    against: str


def resident_mb() -> float:
    """Return this process's current memory."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


@dataclass
class Peak:
    """Peak of this process's memory above its initial value, set at the end of the context."""

    mb: float = 0.0


@contextmanager
def peak_memory() -> Iterator[Peak]:
    """Measure the peak memory with the kernel's high-water mark, reset at the start.

    No short peak is missed.
    """
    peak, before = Peak(), resident_mb()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    yield peak
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    highest = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    peak.mb = highest / 1024 - before


@dataclass
class Work:
    """What a span of time has cost this process and its worker processes.

    ``block_ms``: the longest time in which the event loop did nothing else.
    """

    main_cpu: float = 0.0
    worker_cpu: float = 0.0
    block_ms: float = 0.0


_TICK_SECONDS = 0.005


@asynccontextmanager
async def measure_work() -> AsyncIterator[Work]:
    """Measure within the context; the processor times are in seconds and set at its end."""
    work, started = Work(), time.process_time()
    workers: dict[int, list[float]] = {}
    watches = [
        asyncio.create_task(_watch_loop(work)),
        asyncio.create_task(_watch_workers(workers)),
    ]
    await asyncio.sleep(0)
    try:
        yield work
    finally:
        _note_workers(workers)
        for watch in watches:
            watch.cancel()
        work.main_cpu = time.process_time() - started
        work.worker_cpu = sum(last - first for first, last in workers.values())


async def _watch_loop(work: Work) -> None:
    while True:
        before = time.perf_counter()
        await asyncio.sleep(_TICK_SECONDS)
        late = time.perf_counter() - before - _TICK_SECONDS
        work.block_ms = max(work.block_ms, late * 1000)


async def _watch_workers(workers: dict[int, list[float]]) -> None:
    """Note the processor time of the workers every second, because one may end early."""
    while True:
        _note_workers(workers)
        await asyncio.sleep(1)


def _note_workers(workers: dict[int, list[float]]) -> None:
    """Note the first and the last processor time of each worker process."""
    for child in psutil.Process().children():
        with suppress(psutil.Error):
            if "app.services.analysis.worker_process" in child.cmdline():
                times = child.cpu_times()
                used = times.user + times.system
                workers.setdefault(child.pid, [used, used])[1] = used
