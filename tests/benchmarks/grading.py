"""Grading compared with the model's speed: chats x latency / concurrency."""

from app.services.run_params import AnalyzeParams, SyncParams
from tests.benchmarks.far_ends import run_service, start_far_ends, time_run
from tests.benchmarks.measures import Measure, peak_memory

CHATS, LATENCY_SECONDS, IN_FLIGHT = 1_000, 1.0, 100
WAITING = 10_000


async def measure_grading_speed(url: str) -> list[Measure]:
    """Grade a thousand chats with a latency of one second each."""
    async with (
        start_far_ends(chats=CHATS, messages=6, deepseek_latency=LATENCY_SECONDS) as environment,
        run_service(
            url, environment, avito_max_concurrency=16, deepseek_max_concurrency=IN_FLIGHT
        ) as service,
    ):
        await time_run(service, SyncParams())
        with peak_memory() as peak:
            seconds, run = await time_run(service, AnalyzeParams())
        assert run.figures["analyzed_chats"] == CHATS, run.message
        ideal = CHATS * LATENCY_SECONDS / IN_FLIGHT
        return [
            Measure(
                f"{CHATS} chats, {IN_FLIGHT} in flight",
                f"{seconds / ideal:.2f} x",
                "chats x latency / in flight",
            ),
            Measure("peak memory above idle", f"{peak.mb:.0f} MB", ""),
        ]


async def measure_grading_backlog(url: str) -> list[Measure]:
    """Grade ten thousand waiting chats without latency: a part first, then the rest in one run."""
    async with (
        start_far_ends(chats=WAITING, messages=6) as environment,
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
