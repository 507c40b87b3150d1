"""The drift property of the sync over many more examples than a test has time for: how many, what
happened in them, and no loss.
"""

import asyncio
import time
from collections import Counter

from hypothesis import HealthCheck, given, settings

from app.database.engine import Database
from app.database.migrate import migrate
from app.log import configure_logging
from tests.benchmarks.measures import Measure
from tests.services.drift import ROUNDS, SIZES, Round, sync_through

EXAMPLES = 500


async def sync_drift(url: str) -> list[Measure]:
    """Fails with the smallest example in which a message or a chat is lost."""
    database, happened, loop = Database(url), Counter[str](), asyncio.get_running_loop()
    await migrate(database)
    configure_logging("ERROR", "console")  # chats that are gone would fill the screen

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(sizes=SIZES, rounds=ROUNDS)
    def try_one(sizes: list[int], rounds: list[Round]) -> None:
        happened["examples"] += 1
        asyncio.run_coroutine_threadsafe(
            sync_through(database, sizes, rounds, happened), loop
        ).result()

    start = time.perf_counter()
    await asyncio.to_thread(try_one)
    seconds = time.perf_counter() - start
    await database.close()
    words = {
        "kill": "kills",
        "message": "messages",
        "chat": "chats",
        "delete": "deletions",
        "vanish": "messages gone",
        "leave": "chats gone",
    }
    events = ", ".join(f"{happened[kind]} {name}" for kind, name in words.items())
    return [
        Measure(
            f"{happened['examples']} accounts, {happened['sync']} syncs; {events}",
            "0 lost",
            f"{seconds:.0f} s",
        )
    ]
