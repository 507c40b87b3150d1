"""A service that does not work any more ends by itself: with an exit code, with the reason in its
log, and not too early.
"""

import asyncio
import sys
from pathlib import Path

import pytest

from app.cli.watchdog import watched
from app.jobs.heartbeat import Heartbeats

CHECKOUT = Path(__file__).parents[2]

# A program whose parts beat no more. Its only argument says what hangs.
PROGRAM = """
import asyncio, sys, time
from app.cli import watchdog
from app.cli.process import beside, guarded, run
from app.jobs.heartbeat import Heartbeats

async def main(what):
    heartbeats = Heartbeats()
    heartbeats.scheduler.start("sync")
    held = [what]

    def write():
        print("written", file=sys.stderr, flush=True)
        held.clear()

    if what == "held":
        asyncio.get_running_loop().call_later(3, write)
    async with watchdog.watched(heartbeats, lambda: held != ["held"], dead_seconds=1, look_seconds=0.1) as guard:
        if what == "loop":
            time.sleep(60)
        await beside(asyncio.Event().wait(), guard)
    return 0

sys.exit(guarded(lambda: run(main(sys.argv[1]))))
"""


async def ended(what: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        what,
        cwd=CHECKOUT,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, err.decode()


@pytest.mark.parametrize(
    ("what", "said"), [("part", "watchdog.stalled"), ("loop", "watchdog.loop_blocked")]
)
async def test_a_dead_process_ends_and_names_the_reason(what: str, said: str) -> None:
    code, log = await ended(what)
    assert code == 4, log
    assert said in log
    assert ("scheduler" in log) is (what != "loop")
    assert ("<string>" in log) is (what == "loop"), "where the loop is blocked"


async def test_a_process_that_holds_what_is_not_written_goes_on_until_it_is() -> None:
    code, log = await ended("held")
    assert code == 4, log
    assert log.index("written") < log.index("watchdog.stalled")


async def test_a_part_that_beats_or_does_not_run_is_no_reason() -> None:
    heartbeats = Heartbeats()
    heartbeats.worker.start("poll")
    async with watched(heartbeats, lambda: True, dead_seconds=1, look_seconds=0.05) as watchdog:
        for _ in range(15):
            heartbeats.worker.beat("poll")
            await asyncio.sleep(0.1)
        assert not watchdog.done()
