"""Rows that frequent work reads with a history of six weeks, six months and two years."""

from itertools import pairwise

from app.database.connection import UNLIMITED
from app.database.engine import Database
from app.database.migrate import migrate
from app.sandbox.avito import LocalAvito
from app.sandbox.server import Sandbox
from tests.benchmarks.measures import Measure
from tests.support.frequent_work import count_rows
from tests.support.history import add_history
from tests.support.stage import BAD_TALK, GOOD_TALK, on_stage

_COPIES = (0, 1_000, 4_000, 16_000)
"""A copy has two chats, two reports and three runs."""
_A_DAY = 22


async def measure_history(url: str) -> list[Measure]:
    """Count the rows for 2,000, 8,000 and 32,000 chats, 44 a day."""
    pool = Database(url, limits=UNLIMITED)
    await migrate(pool)
    async with (
        Sandbox(avito=LocalAvito()) as sandbox,
        on_stage(url, sandbox, pool=pool) as stage,
    ):
        stage.add_talk(*GOOD_TALK, minutes_ago=300)
        stage.add_talk(*BAD_TALK, minutes_ago=280)
        await stage.sync()
        await stage.analyze()
        await stage.mail()
        found = []
        for first, end in pairwise(_COPIES):
            await add_history(stage, range(first, end), a_day=_A_DAY)
            found.append(await count_rows(stage))
    await pool.close()
    once, *grown = found
    return [
        Measure(
            f"{name}, rows read with 2,000 chats",
            f"{rows:,}",
            " and ".join(f"{one[name]:,}" for one in grown) + " with 8,000 and 32,000",
        )
        for name, rows in once.items()
    ]
