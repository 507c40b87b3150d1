"""The drift property of the sync with many more examples than in a test.

It reports the number of examples, their events, and that nothing was lost.
"""

import asyncio
import time
from collections import Counter

from hypothesis import HealthCheck, given, settings

from app.database.engine import Database
from app.database.migrate import migrate
from app.log import configure_logging
from tests.benchmarks.measures import Measure
from tests.support.sync_drift import ROUNDS, SIZES, Round, sync_through

EXAMPLES = 500


async def measure_sync_drift(url: str) -> list[Measure]:
    """Run the examples; fail with the smallest one that loses a message or a chat."""
    database, happened, loop = Database(url), Counter[str](), asyncio.get_running_loop()
    await migrate(database)
    configure_logging("ERROR", "console")  # messages about lost chats would fill the screen

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
    labels = {
        "kill": "kills",
        "message": "messages",
        "chat": "chats",
        "delete": "deletions",
        "vanish": "messages gone",
        "leave": "chats gone",
    }
    events = ", ".join(f"{happened[kind]} {name}" for kind, name in labels.items())
    return [
        Measure(
            f"{happened['examples']} accounts, {happened['sync']} syncs; {events}",
            "0 lost",
            f"{seconds:.0f} s",
        )
    ]
