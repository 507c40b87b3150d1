"""Grading against the model's own speed: chats x latency / in flight."""

from app.models import RunKind
from tests.benchmarks.far_ends import apart, at_work, timed
from tests.benchmarks.measures import Measure, resident_mb

CHATS, LATENCY_SECONDS, IN_FLIGHT = 1_000, 1.0, 100


async def grading_speed(url: str) -> list[Measure]:
    """A thousand chats at a second each."""
    async with (
        apart(chats=CHATS, messages=6, deepseek_latency=LATENCY_SECONDS) as environment,
        at_work(url, environment, avito_max_concurrency=16, deepseek_max_concurrency=IN_FLIGHT) as service,
    ):
        await timed(service, RunKind.SYNC)
        before = resident_mb()
        seconds, run = await timed(service, RunKind.ANALYZE)
        assert run.figures["analyzed_chats"] == CHATS, run.message
        ideal = CHATS * LATENCY_SECONDS / IN_FLIGHT
        return [
            Measure(f"{CHATS} chats, {IN_FLIGHT} in flight", f"{seconds / ideal:.2f} x", "chats x latency / in flight"),
            Measure("memory above idle at the end", f"{resident_mb() - before:.0f} MB", ""),
        ]
