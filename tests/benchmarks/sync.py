"""Sync compared with the ideal: requests x latency / concurrency."""

from app.sandbox.avito import LocalAvito
from app.sandbox.server import Sandbox
from app.services.run_params import SyncParams
from app.services.sync.pages import OVERLAP, PAGE
from tests.benchmarks.far_ends import run_service, start_far_ends, time_run
from tests.benchmarks.measures import Measure, peak_memory, resident_mb
from tests.support.avito_worlds import empty
from tests.support.stage import on_stage

CHATS, MESSAGES, LATENCY_SECONDS, IN_FLIGHT = 1_000, 20, 0.05, 8
IMPORTS, LONG = (200, 1_000), 100


async def measure_sync_speed(url: str) -> list[Measure]:
    """Import a thousand chats for the first time."""
    async with (
        start_far_ends(
            chats=CHATS, messages=MESSAGES, avito_latency=LATENCY_SECONDS
        ) as environment,
        run_service(url, environment, avito_max_concurrency=IN_FLIGHT) as service,
    ):
        with peak_memory() as peak:
            seconds, run = await time_run(service, SyncParams())
        assert run.figures["new_messages"] == CHATS * MESSAGES, run.message
        ideal = (CHATS / (PAGE - OVERLAP) + CHATS / IN_FLIGHT) * LATENCY_SECONDS
        return [
            Measure(
                f"{CHATS} chats x {MESSAGES} messages, {IN_FLIGHT} in flight",
                f"{seconds / ideal:.2f} x",
                "requests x latency / in flight",
            ),
            Measure("messages a second", f"{CHATS * MESSAGES / seconds:,.0f}", ""),
            Measure("peak memory above idle", f"{peak.mb:.0f} MB", ""),
        ]


async def measure_sync_memory(url: str) -> list[Measure]:
    """Import twenty thousand and a hundred thousand messages without latency.

    The peak memory must not grow with their number.
    """
    measures, idle = [], 0.0
    for chats in IMPORTS:
        async with (
            start_far_ends(chats=chats, messages=LONG) as environment,
            run_service(url, environment, avito_max_concurrency=IN_FLIGHT) as service,
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
