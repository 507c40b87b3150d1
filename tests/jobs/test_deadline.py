"""A deadline measures elapsed time; changes of the wall clock have no effect."""

from datetime import timedelta

import pytest

from app.clock import Deadline
from app.sandbox.avito import LocalAvito
from app.sandbox.server import Sandbox
from app.services.run_params import AnalyzeParams
from app.services.runs import submit, wait
from tests.support.monotonic import Seconds
from tests.support.stage import GOOD_TALK, MovableClock, on_stage, until

SPAN = timedelta(hours=2)


@pytest.mark.parametrize("jump", [timedelta(hours=26), -timedelta(hours=2), timedelta(days=40)])
def test_clock_jump_does_not_change_the_deadline(jump: timedelta) -> None:
    clock, seconds = MovableClock(), Seconds()
    deadline = Deadline(SPAN, since=clock(), clock=clock, monotonic=seconds)
    clock.move(seconds=jump.total_seconds())
    assert not deadline.passed
    seconds.now += 7000
    assert deadline.seconds_left == pytest.approx(200, abs=1)
    seconds.now += 201
    assert deadline.passed
    assert deadline.seconds_left == 0


@pytest.mark.parametrize(("began_hours_ago", "hours_left"), [(0.5, 1.5), (3, 0), (-5, 2)])
def test_deadline_counts_from_the_start_in_another_process(
    began_hours_ago: float, hours_left: float
) -> None:
    """A start in the future, from a clock that was ahead, counts as now."""
    clock, seconds = MovableClock(), Seconds()
    deadline = Deadline(
        SPAN, since=clock() - timedelta(hours=began_hours_ago), clock=clock, monotonic=seconds
    )
    assert deadline.seconds_left == pytest.approx(hours_left * 3600, abs=5)
    assert deadline.passed is (hours_left == 0)


async def test_grading_continues_after_a_clock_jump(database_url: str) -> None:
    """There are more chats than are read ahead, so the deadline is checked during grading."""
    async with (
        Sandbox(avito=LocalAvito()) as sandbox,
        on_stage(database_url, sandbox, deepseek_max_concurrency=4) as stage,
    ):
        for number in range(70):
            stage.add_talk(*GOOD_TALK, title=f"Диван {number}")
        await stage.sync()
        sandbox.deepseek.switches.latency_seconds = 0.1
        params = AnalyzeParams(deadline=stage.clock() + SPAN)
        run_id = await submit(stage.service.database, params, stage.clock, slot="2026-11-22 #1")
        stage.service.worker.wake()

        async def begun() -> bool:
            return bool(sandbox.deepseek.requests)

        await until(begun)
        sandbox.deepseek.switches.latency_seconds = 0
        stage.clock.move(hours=26)
        run = await wait(stage.service.database, run_id)
    assert (run.state, run.figures["analyzed_chats"], run.figures["waiting_chats"]) == (
        "done",
        70,
        0,
    )
