"""The watchdog: a stalled service ends, logs the reason, and does not end too early."""

import asyncio
import sys

import pytest

from app.cli.watchdog import run_watchdog
from app.jobs.heartbeat import Heartbeats
from tests.support.checkout import CHECKOUT

# A program whose parts have no heartbeats. Its argument selects what hangs.
PROGRAM = """
import asyncio, sys, time
from app.cli import watchdog
from app.cli.process import run, run_guarded, run_with_guards
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

    def may_exit():
        return held != ["held"]

    run_watchdog = watchdog.run_watchdog(heartbeats, may_exit, dead_seconds=1, poll_seconds=0.1)
    async with run_watchdog as guard:
        if what == "loop":
            time.sleep(60)
        await run_with_guards(asyncio.Event().wait(), guard)
    return 0

sys.exit(run_guarded(lambda: run(main(sys.argv[1]))))
"""


async def run_program(what: str) -> tuple[int, str]:
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
    ("what", "event"), [("part", "watchdog.stalled"), ("loop", "watchdog.loop_blocked")]
)
async def test_stalled_process_ends_and_logs_the_reason(what: str, event: str) -> None:
    code, log = await run_program(what)
    assert code == 4, log
    assert event in log
    assert ("scheduler" in log) is (what != "loop")
    assert ("<string>" in log) is (what == "loop"), "the position of the blocked loop"


async def test_process_with_unwritten_data_continues_until_it_is_written() -> None:
    code, log = await run_program("held")
    assert code == 4, log
    assert log.index("written") < log.index("watchdog.stalled")


async def test_working_or_switched_off_part_is_not_stalled() -> None:
    heartbeats = Heartbeats()
    heartbeats.worker.start("poll")
    async with run_watchdog(
        heartbeats, lambda: True, dead_seconds=1, poll_seconds=0.05
    ) as watchdog:
        for _ in range(15):
            heartbeats.worker.beat("poll")
            await asyncio.sleep(0.1)
        assert not watchdog.done()
