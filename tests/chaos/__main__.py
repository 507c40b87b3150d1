"""``make chaos``: run several worlds concurrently for ``MINUTES``.

``SEED`` determines their faults; each world has ``REPLICAS`` replicas.
"""

import asyncio
import logging
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Collection
from contextlib import AsyncExitStack
from pathlib import Path

from rich.console import Console

from app.log import configure_logging
from tests.chaos.course import SETTLE_SECONDS, list_calendars, run_course
from tests.chaos.evidence import Evidence
from tests.chaos.faults import KILLS, OTHERS
from tests.chaos.journal import Journal
from tests.chaos.postgres import own_postgres
from tests.chaos.report import list_violations, tabulate
from tests.chaos.world import Calendar, World, open_world

_PROGRESS_SECONDS = 60.0
_SHOWN = 12


def _read_setting(name: str, default: int, least: int) -> int:
    try:
        value = int(os.environ.get(name) or default)
    except ValueError:
        value = least - 1
    if value < least:
        raise SystemExit(f"{name}: a whole number of at least {least}")
    return value


def _read_faults() -> list[str]:
    """Read ``FAULTS``, the kinds to draw from; unset: all of them, mostly kills."""
    only = [name.strip() for name in os.environ.get("FAULTS", "").split(",") if name.strip()]
    if unknown := set(only) - {*KILLS, *OTHERS}:
        raise SystemExit(
            f"FAULTS: no such kind: {', '.join(sorted(unknown))}; there are:"
            f" {', '.join([*KILLS, *OTHERS])}"
        )
    return only


async def main(folder: Path) -> int:
    """Run the bench, print the table and return the exit code; write logs to the folder."""
    minutes, replicas, worlds = (
        _read_setting("MINUTES", 13, 5),
        _read_setting("REPLICAS", 3, 1),
        _read_setting("WORLDS", 4, 1),
    )
    seed = _read_setting("SEED", random.SystemRandom().randint(1, 9999), 0)
    console = Console(highlight=False, width=120)
    console.print(
        f"SEED={seed} MINUTES={minutes} REPLICAS={replicas} WORLDS={worlds}; events and logs:"
        f" {folder}"
    )
    configure_logging("ERROR", "console")
    # A client killed during a request is expected.
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    only = _read_faults()
    journal = Journal(folder / "events.log")
    until = time.monotonic() + minutes * 60
    evidence = await _simulate(
        folder,
        journal,
        console,
        seed=seed,
        replicas=replicas,
        worlds=worlds,
        until=until,
        only=only,
    )
    journal.close()
    violations = list_violations(evidence)
    console.print(tabulate(evidence, violations))
    console.print(
        "faults: " + ", ".join(f"{kind} {count}" for kind, count in sorted(journal.counts.items()))
    )
    found = [f"{title}: {one}" for title, lines in violations.items() for one in lines]
    (folder / "violations.txt").write_text("\n".join(found), encoding="utf-8")
    if not found:
        return 0
    for lines in found[:_SHOWN]:
        console.print(lines)
    console.print(
        f"SEED={seed}: {len(found)} violations, all in {folder}/violations.txt; events:"
        f" {journal.path}"
    )
    return 1


async def _simulate(
    folder: Path,
    journal: Journal,
    console: Console,
    *,
    seed: int,
    replicas: int,
    worlds: int,
    until: float,
    only: Collection[str],
) -> list[Evidence]:
    async with AsyncExitStack() as stack:
        opened: list[World] = []
        for number, calendar in enumerate(list_calendars(range(seed, seed + worlds))):
            opened.append(
                await _open(
                    stack,
                    f"w{number}",
                    calendar,
                    journal,
                    folder,
                    seed=f"{seed}/{number}",
                    replicas=replicas,
                )
            )
        if replicas > 1:
            opened[0].replicas[0].never_killed = True
        progress = asyncio.create_task(_print_progress(opened, console, until))
        stack.callback(progress.cancel)
        return list(await asyncio.gather(*(run_course(world, until, only) for world in opened)))


async def _open(
    stack: AsyncExitStack,
    name: str,
    calendar: Calendar,
    journal: Journal,
    folder: Path,
    *,
    seed: str,
    replicas: int,
) -> World:
    home = folder / name
    home.mkdir(mode=0o755)
    database = await stack.enter_async_context(own_postgres(home))
    return await stack.enter_async_context(
        open_world(name, calendar, database, journal, home, seed=seed, replicas=replicas)
    )


async def _print_progress(worlds: list[World], console: Console, until: float) -> None:
    begun = time.monotonic()
    while True:
        await asyncio.sleep(_PROGRESS_SECONDS)
        minutes = (time.monotonic() - begun) / 60
        stuck = [replica.name for world in worlds for replica in world.replicas if replica.stuck]
        console.print(
            f"{minutes:3.0f} min: {sum(len(world.dates) for world in worlds)} dates,"
            f" {sum(world.kills for world in worlds)} kills,"
            f" {sum(len(world.sandbox.smtp.messages) for world in worlds)} mails"
            + (f"; stuck: {', '.join(stuck)}" if stuck else "")
            + ("; settling" if time.monotonic() > until - SETTLE_SECONDS else "")
        )


def _make_folder() -> Path:
    """Create a new folder that is kept and is open to the account that runs Postgres."""
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    folder.chmod(0o755)
    return folder


async def _run_until_stopped() -> int:
    """Run until the end; SIGINT and SIGTERM cancel the run and end its processes and servers."""
    task = asyncio.ensure_future(main(_make_folder()))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        return 130


if __name__ == "__main__":
    sys.exit(asyncio.run(_run_until_stopped()))
