"""The cost of frequent work does not grow with the history."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from app.clock import local_date
from app.services.analysis.budget import sum_spent
from app.services.analysis.originals import list_originals
from app.services.run_params import RegradePeriod
from tests.support.chats import MOSCOW
from tests.support.history import add_history, count_rows_read, remove_history
from tests.support.stage import BAD_TALK, GOOD_TALK, Stage

_COPIES = 1_000
_SLACK = 300
"""Rows: a day has more reports, and a plan may change once."""


async def test_frequent_work_reads_no_more_rows_with_four_times_the_history(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK, minutes_ago=300)
    stage.add_talk(*BAD_TALK, minutes_ago=280)
    await stage.sync()
    await stage.analyze()
    await stage.mail()
    try:
        await add_history(stage, range(_COPIES))
        usual = await _count_all(stage)
        await add_history(stage, range(_COPIES, 4 * _COPIES))
        grown = await _count_all(stage)
    finally:
        await remove_history(stage)
    assert {
        name: (usual[name], rows)
        for name, rows in grown.items()
        if rows > 1.2 * usual[name] + _SLACK
    } == {}


async def _sum_spent(stage: Stage) -> None:
    await sum_spent(stage.service.database, local_date(stage.clock(), MOSCOW), MOSCOW)


async def _list_originals(stage: Stage) -> None:
    now = stage.clock()
    period = RegradePeriod(start=now - timedelta(days=1), end=now, limit=None)
    async for _ in list_originals(stage.service.database, period, timedelta(days=3)):
        pass


async def _count_all(stage: Stage) -> dict[str, int]:
    today = stage.clock().date()
    days = f"start_date={today - timedelta(days=1)}&end_date={today}"
    works: dict[str, Callable[[], Awaitable[object]]] = {
        "unchanged sync": stage.sync,
        "analyze with nothing due": stage.analyze,
        "mail without a report": stage.mail,
        **{
            path: partial(stage.rest.get, path)
            for path in (
                "/health/ready",
                "/metrics",
                "/",
                "/api/v1/runs",
                f"/api/v1/reports?{days}",
                f"/api/v1/reports/summary?{days}",
                "/api/v1/reports/daily",
            )
        },
    }
    found = {name: await count_rows_read(stage, work) for name, work in works.items()}
    found["cost of the day"] = await count_rows_read(stage, partial(_sum_spent, stage))
    found["estimate of a regrade"] = await count_rows_read(stage, partial(_list_originals, stage))
    stage.add_talk(*GOOD_TALK, minutes_ago=200)
    found["sync of a new chat"] = await count_rows_read(stage, stage.sync)
    found["grading of one chat"] = await count_rows_read(stage, stage.analyze)
    found["mail of one report"] = await count_rows_read(stage, stage.mail)
    return found
