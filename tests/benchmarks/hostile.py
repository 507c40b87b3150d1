"""Response times and memory of the service with hostile chats and connections.

The response time is that of `/health/live`.
"""

import asyncio
import os
import resource
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx

from app.services.run_params import AnalyzeParams, SyncParams
from tests.benchmarks.far_ends import run_service, start_far_ends, time_run
from tests.benchmarks.measures import Measure, peak_memory, resident_mb
from tests.benchmarks.own_rest import serve_here
from tests.benchmarks.worst_chats import build_worst_chats

GOOD = 50
CONNECTIONS = 1_500


async def _poll_live(url: str, times: list[float]) -> None:
    """Request `/health/live` repeatedly and record the response times."""
    async with httpx.AsyncClient(base_url=url, timeout=600) as http:
        while True:
            start = time.perf_counter()
            (await http.get("/health/live")).raise_for_status()
            times.append(time.perf_counter() - start)
            await asyncio.sleep(0.01)


@asynccontextmanager
async def poll_live(url: str) -> AsyncIterator[list[float]]:
    """Yield a list that collects the response times of `/health/live` in seconds."""
    times = list[float]()
    asking = asyncio.create_task(_poll_live(url, times))
    try:
        yield times
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


def _format_p99(times: Sequence[float]) -> str:
    return (
        f"{1000 * statistics.quantiles(times, n=100)[98]:.0f} ms (max {1000 * max(times):.0f})"
        if len(times) > 1
        else "no answer"
    )


def _measure_children_mb() -> float:
    """Return the current memory of the worker processes; shared pages count once per process."""
    pid, total = os.getpid(), 0.0
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split():
        with suppress(OSError):
            if b"worker_process" in Path(f"/proc/{child}/cmdline").read_bytes():
                total += (
                    int(Path(f"/proc/{child}/statm").read_text(encoding="ascii").split()[1])
                    * resource.getpagesize()
                    / 2**20
                )
    return total


async def _watch_children(seen: list[float]) -> None:
    while True:
        seen.append(_measure_children_mb())
        await asyncio.sleep(0.2)


async def measure_hostile_chats(url: str) -> list[Measure]:
    """Grade the worst chats among good ones."""
    async with (
        start_far_ends(chats=GOOD, messages=6, worst=True) as environment,
        run_service(url, environment) as service,
        serve_here(service) as port,
    ):
        rest_url = f"http://127.0.0.1:{port}"
        await time_run(service, SyncParams())
        async with poll_live(rest_url) as idle:
            await asyncio.sleep(5)
        sizes = list[float]()
        watching = asyncio.create_task(_watch_children(sizes))
        with peak_memory() as peak:
            async with poll_live(rest_url) as times:
                seconds, run = await time_run(service, AnalyzeParams())
        watching.cancel()
        figures = run.figures
        return [
            Measure("live p99 while nothing is graded", _format_p99(idle), ""),
            Measure(
                f"live p99 while {len(build_worst_chats())} worst and {GOOD} good chats are graded",
                _format_p99(times),
                "<= 50 ms",
            ),
            Measure(
                "graded / failed",
                f"{figures['analyzed_chats']} / {figures['failed_chats']} in {seconds:.1f} s",
                "",
            ),
            Measure("peak memory of the service above idle", f"{peak.mb:.0f} MB", ""),
            Measure("peak memory of all worker processes together", f"{max(sizes):.0f} MB", ""),
        ]


async def measure_connection_flood(url: str) -> list[Measure]:
    """Open more idle connections than the limit."""
    async with (
        start_far_ends(chats=GOOD, messages=6, worst=True) as environment,
        run_service(url, environment) as service,
        serve_here(service) as port,
    ):
        rest_url = f"http://127.0.0.1:{port}"
        before = resident_mb()
        async with poll_live(rest_url) as times:
            await asyncio.sleep(1)
            opened = await asyncio.gather(
                *(asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS)),
                return_exceptions=True,
            )
            pairs = [one for one in opened if isinstance(one, tuple)]
            await asyncio.sleep(1)
            refused = sum(reader.at_eof() or reader.exception() is not None for reader, _ in pairs)
            sync_seconds, run = await time_run(service, SyncParams())
            after = resident_mb()
            start = time.perf_counter()
            with suppress(TimeoutError):
                async with asyncio.timeout(60):
                    await asyncio.gather(
                        *(reader.read() for reader, _ in pairs), return_exceptions=True
                    )
            let_go = time.perf_counter() - start
            for _, writer in pairs:
                writer.close()
        return [
            Measure(f"{CONNECTIONS} idle connections: refused at once", str(refused), ""),
            Measure("the others were let go after", f"{let_go:.0f} s", "<= 30 s"),
            Measure("live p99 on an established connection", _format_p99(times), ""),
            Measure("sync beside it", f"{run.state} in {sync_seconds:.1f} s", ""),
            Measure("memory above idle", f"{after - before:.0f} MB", ""),
        ]


async def measure_hostile(url: str) -> list[Measure]:
    """Run both benchmarks."""
    return [*await measure_hostile_chats(url), *await measure_connection_flood(url)]
