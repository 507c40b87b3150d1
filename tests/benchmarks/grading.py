"""Grading: its time against the model's, its processor time, and REST meanwhile.

The external systems and the clients are separate processes.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlencode

from sqlalchemy import text

from app.service import Service
from app.services.run_params import AnalyzeParams, SyncParams
from tests.benchmarks.far_ends import run_service, start_far_ends, time_run
from tests.benchmarks.http_clients import probe_path
from tests.benchmarks.measures import Measure, measure_work, peak_memory
from tests.benchmarks.own_rest import serve_here

CHATS, LATENCY_SECONDS, IN_FLIGHT = 1_000, 1.0, 100
FEW = 10
"""Reports that ``GET /reports`` returns while others are graded."""
WAITING = 10_000
_LIVE_PAUSE, _REPORTS_PAUSE, _IDLE_SECONDS = 0.02, 0.05, 5.0
"""Seconds between two requests, and for which an idle service is measured."""

Times = Mapping[str, float]


async def measure_grading_speed(url: str) -> list[Measure]:
    """Grade a thousand chats with a latency of a second each, then as many beside requests."""
    async with (
        start_far_ends(
            chats=2 * CHATS + FEW, messages=6, deepseek_latency=LATENCY_SECONDS, dialogues=True
        ) as environment,
        run_service(
            url, environment, avito_max_concurrency=16, deepseek_max_concurrency=IN_FLIGHT
        ) as service,
        serve_here(service) as port,
    ):
        await time_run(service, SyncParams())
        await time_run(service, AnalyzeParams(limit=FEW))
        await _date_back(service)
        gc.freeze()  # as the service does at its start; the modules of the benchmark are many
        return [*await _measure_alone(service), *await _measure_rest(service, port)]


async def _date_back(service: Service) -> None:
    """Move the reports so far to a period of their own."""
    async with service.database.transaction() as session:
        await session.execute(text("UPDATE reports SET created_at = '2020-01-01'"))


async def _grade(service: Service) -> float:
    seconds, run = await time_run(service, AnalyzeParams(limit=CHATS))
    assert run.figures["analyzed_chats"] == CHATS, run.message
    return seconds


async def _measure_alone(service: Service) -> list[Measure]:
    async with measure_work() as work:
        with peak_memory() as peak:
            seconds = await _grade(service)
    ideal = CHATS * LATENCY_SECONDS / IN_FLIGHT
    main, workers = (1000 * cpu / CHATS for cpu in (work.main_cpu, work.worker_cpu))
    return [
        Measure(
            f"{CHATS} chats, {IN_FLIGHT} in flight",
            f"{seconds / ideal:.2f} x",
            "chats x latency / in flight",
        ),
        Measure(
            "processor time of a chat",
            f"{main + workers:.1f} ms",
            f"{main:.1f} service, {workers:.1f} workers",
        ),
        Measure("longest block of the event loop", f"{work.block_ms:.0f} ms", ""),
        Measure("peak memory above idle", f"{peak.mb:.0f} MB", ""),
    ]


async def _measure_rest(service: Service, port: int) -> list[Measure]:
    async with _probe(port) as idle:
        await asyncio.sleep(_IDLE_SECONDS)
    async with _probe(port) as busy, measure_work() as work:
        seconds = await _grade(service)
    return [
        *(
            Measure(
                f"{path} beside it, p50 / p99",
                _format(busy[path]),
                f"idle: {_format(idle[path])} ({busy[path]['p99'] / idle[path]['p99']:.1f} x)",
            )
            for path in idle
        ),
        Measure("longest block of the event loop", f"{work.block_ms:.0f} ms", f"{seconds:.1f} s"),
    ]


@asynccontextmanager
async def _probe(port: int) -> AsyncIterator[dict[str, Times]]:
    """Request both paths within the context, each about as often as a busy client would."""
    query = urlencode({"start_date": "2019-12-01", "end_date": "2020-02-01"})
    async with (
        probe_path(port, "/health/live", pause=_LIVE_PAUSE) as live,
        probe_path(port, f"/api/v1/reports?{query}", pause=_REPORTS_PAUSE) as reports,
    ):
        yield {"/health/live": live, "GET /reports": reports}


def _format(times: Times) -> str:
    return f"{times['p50']:.1f} / {times['p99']:.1f} ms"


async def measure_grading_backlog(url: str) -> list[Measure]:
    """Grade ten thousand waiting chats without latency: a part first, then the rest in one run."""
    async with (
        start_far_ends(chats=WAITING, messages=6, dialogues=True) as environment,
        run_service(
            url, environment, avito_max_concurrency=16, deepseek_max_concurrency=IN_FLIGHT
        ) as service,
    ):
        # The list's limit hides most of the account, but the chats are found through their
        # listings.
        await time_run(service, SyncParams())
        with peak_memory() as few:
            await time_run(service, AnalyzeParams(limit=WAITING // 10))
        with peak_memory() as many:
            seconds, run = await time_run(service, AnalyzeParams())
        graded = run.figures["analyzed_chats"]
        return [
            Measure(
                f"peak memory above idle, {WAITING // 10} chats of {WAITING}",
                f"{few.mb:.0f} MB",
                "",
            ),
            Measure(
                f"peak memory above idle, the other {graded}",
                f"{many.mb:.0f} MB",
                f"{few.mb:.0f} MB",
            ),
            Measure("chats a second without the model's latency", f"{graded / seconds:.0f}", ""),
        ]
