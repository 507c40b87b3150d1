"""How long a bulk update of chats waits for its account, measured by a separate process."""

import asyncio
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.database.engine import Database
from app.repositories.chat_locks import lock_account

_EVERY_SECONDS = 0.01


@asynccontextmanager
async def probe_lock(url: str) -> AsyncIterator[list[float]]:
    """Lock an account a hundred times a second within the context.

    At the end the yielded list contains the longest wait in milliseconds.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, url, stdin=PIPE, stdout=PIPE
    )
    assert process.stdout is not None
    await process.stdout.readline()
    found: list[float] = []
    try:
        yield found
    finally:
        out, _ = await process.communicate(b"")  # closing its stdin ends it
        found.append(float(out))


async def _probe(url: str) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), ended.set)
    database, longest, is_first = Database(url).with_patient_limits(), 0.0, True
    while not ended.is_set():
        async with database.transaction() as session:
            start = time.perf_counter()
            await lock_account(session, 1)
            waited = time.perf_counter() - start
        if is_first:
            sys.stdout.write("begun\n")
            sys.stdout.flush()
        else:
            longest = max(longest, waited)
        is_first = False
        await asyncio.sleep(_EVERY_SECONDS)
    sys.stdout.write(f"{longest * 1000}\n")
    await database.close()


if __name__ == "__main__":
    asyncio.run(_probe(sys.argv[1]))
