"""Rows that frequent work reads with one, four and sixteen times a history of two years."""

from itertools import pairwise

from app.sandbox.avito import LocalAvito
from app.sandbox.server import Sandbox
from tests.benchmarks.measures import Measure
from tests.support.frequent_work import count_rows
from tests.support.history import add_history
from tests.support.stage import BAD_TALK, GOOD_TALK, on_stage

_COPIES = (0, 1_000, 4_000, 16_000)
"""A copy has two chats, two reports and three runs."""


async def measure_history(url: str) -> list[Measure]:
    """Count the rows for 2,000, 8,000 and 32,000 chats. A day has more reports, too."""
    async with Sandbox(avito=LocalAvito()) as sandbox, on_stage(url, sandbox) as stage:
        stage.add_talk(*GOOD_TALK, minutes_ago=300)
        stage.add_talk(*BAD_TALK, minutes_ago=280)
        await stage.sync()
        await stage.analyze()
        await stage.mail()
        found = []
        for first, end in pairwise(_COPIES):
            await add_history(stage, range(first, end))
            found.append(await count_rows(stage))
    once, *grown = found
    return [
        Measure(
            f"{name}, rows read with 2,000 chats",
            f"{rows:,}",
            " and ".join(f"{one[name]:,}" for one in grown) + " with 8,000 and 32,000",
        )
        for name, rows in once.items()
    ]
