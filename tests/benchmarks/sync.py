"""Sync compared with the ideal, requests x latency / concurrency, and with httpx alone."""

import asyncio
import math
import time
from dataclasses import dataclass

import httpx

from app.models import Run
from app.sandbox.avito import LocalAvito
from app.sandbox.server import Sandbox
from app.services.run_params import SyncParams
from app.services.sync.pages import OVERLAP, PAGE
from tests.benchmarks.far_ends import run_service, start_far_ends, time_run
from tests.benchmarks.measures import Measure, peak_memory, resident_mb
from tests.benchmarks.quick_avito import QuickAvito, start_quick_avito
from tests.support.avito_worlds import empty
from tests.support.stage import on_stage

CHATS, MESSAGES, LATENCY_SECONDS, IN_FLIGHT = 1_000, 20, 0.05, (8, 16, 24)
IMPORTS, LONG, READERS = (200, 1_000), 100, 8


async def measure_sync_speed(url: str) -> list[Measure]:
    """Import a thousand chats for the first time, with several limits of requests in flight.

    The rival sends the requests for messages with httpx alone and decodes the JSON.
    """
    measures: list[Measure] = []
    for in_flight in IN_FLIGHT:
        async with start_quick_avito(
            chats=CHATS, messages=MESSAGES, latency=LATENCY_SECONDS
        ) as avito:
            rival = await _time_bare_httpx(avito, in_flight)
            own, run = await _time_import(url, avito, in_flight)
        assert run.figures["new_messages"] == CHATS * MESSAGES, run.message
        measures += _compare(own, rival, in_flight)
    return measures


@dataclass(frozen=True)
class _Work:
    """Requests, and the wall time and the processor time of this process that they took."""

    requests: int
    seconds: float
    cpu_seconds: float
    peak_mb: float

    def get_ratio(self, in_flight: int) -> float:
        """Return the wall time as a multiple of the ideal one."""
        return self.seconds / (self.requests * LATENCY_SECONDS / in_flight)

    @property
    def cpu_ms(self) -> float:
        """Processor time of one request."""
        return self.cpu_seconds / self.requests * 1000


def _compare(own: _Work, rival: _Work, in_flight: int) -> list[Measure]:
    what = f"{CHATS} chats x {MESSAGES} messages, {in_flight} in flight"
    return [
        Measure(
            what,
            f"{own.get_ratio(in_flight):.2f} x requests x latency / in flight",
            f"bare httpx {rival.get_ratio(in_flight):.2f} x",
        ),
        Measure(
            "processor time of this process for a request",
            f"{own.cpu_ms:.2f} ms",
            f"bare httpx {rival.cpu_ms:.2f} ms",
        ),
        Measure("peak memory above idle", f"{own.peak_mb:.0f} MB", ""),
    ]


async def _time_import(url: str, avito: QuickAvito, in_flight: int) -> tuple[_Work, Run]:
    async with run_service(url, avito.environment, avito_max_concurrency=in_flight) as service:
        with peak_memory() as peak:
            start = time.process_time()
            seconds, run = await time_run(service, SyncParams())
            cpu_seconds = time.process_time() - start
        await empty(service.database)
    requests = CHATS + math.ceil(CHATS / (PAGE - OVERLAP))
    return _Work(requests, seconds, cpu_seconds, peak.mb), run


async def _time_bare_httpx(avito: QuickAvito, in_flight: int) -> _Work:
    paths = iter(avito.message_paths)

    async def read_next() -> None:
        for path in paths:
            answer = await http.get(path, params={"limit": "100", "offset": "0"}, headers=headers)
            assert len(answer.json()["messages"]) == MESSAGES

    headers = {"Authorization": "Bearer t"}
    async with httpx.AsyncClient(base_url=avito.url) as http:
        start, cpu_start = time.perf_counter(), time.process_time()
        await asyncio.gather(*(read_next() for _ in range(in_flight)))
        seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    return _Work(len(avito.message_paths), seconds, cpu_seconds, 0)


async def measure_sync_memory(url: str) -> list[Measure]:
    """Import twenty thousand and a hundred thousand messages without latency.

    The peak memory must not grow with their number.
    """
    measures, idle = [], 0.0
    for chats in IMPORTS:
        async with (
            start_far_ends(chats=chats, messages=LONG) as environment,
            run_service(url, environment, avito_max_concurrency=READERS) as service,
        ):
            start = resident_mb()
            idle = idle or start
            with peak_memory() as peak:
                seconds, run = await time_run(service, SyncParams())
            assert run.figures["new_messages"] == chats * LONG, run.message
            await empty(service.database)
        what = f"{chats * LONG:,} messages in {chats:,} chats, peak memory above idle"
        measures.append(
            Measure(
                what,
                f"{start - idle + peak.mb:.0f} MB",
                f"{chats * LONG / seconds:,.0f} messages/s",
            )
        )
    return measures


async def measure_sync_cost(url: str) -> list[Measure]:
    """Sync again without any change."""
    async with Sandbox(avito=LocalAvito()) as sandbox, on_stage(url, sandbox) as stage:
        stage.avito.add_synthetic_chats(600, 2)
        stage.clock.move(hours=20)
        await stage.sync()
        stage.avito.traffic.requests.clear()
        await stage.sync()
        return [
            Measure(
                "requests for an unchanged account of 600 chats",
                str(len(stage.avito.requests)),
                "2 pages",
            )
        ]
