"""The work that a service does all the time, for measurements of its cost."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from app.clock import local_date
from app.jobs.due_runs import queue_daily_run, queue_retry_run
from app.repositories import covered_dates
from app.services.analysis.budget import sum_spent
from app.services.analysis.originals import list_originals
from app.services.run_params import RegradePeriod
from tests.support.chats import MOSCOW
from tests.support.history import count_rows_read
from tests.support.scheduler import EVENING, at
from tests.support.stage import GOOD_TALK, Stage


async def count_rows(stage: Stage) -> dict[str, int]:
    """Return the rows that each work reads, by its name."""
    return {name: await count_rows_read(stage, work) for name, work in list_works(stage).items()}


def list_works(stage: Stage) -> dict[str, Callable[[], Awaitable[object]]]:
    """Return the frequent work by name, in an order in which each finds something to do."""
    today = local_date(stage.clock(), MOSCOW)
    days = f"start_date={today - timedelta(days=1)}&end_date={today}"
    review = {"grades": {"tonality_grade": "Низкая"}}

    async def sync_new_chat() -> None:
        stage.add_talk(*GOOD_TALK, minutes_ago=200)
        await stage.sync()

    return {
        "unchanged sync": stage.sync,
        "analyze with nothing due": stage.analyze,
        "mail without a report": stage.mail,
        "jobs of the scheduler": partial(_look_for_due_runs, stage),
        **{
            path: partial(stage.rest.get, path)
            for path in (
                "/health/ready",
                "/metrics",
                "/",
                "/api/v1/runs",
                "/api/v1/labels",
                "/api/v1/reports/1",
                f"/api/v1/reports?{days}",
                f"/api/v1/reports?{days}&format=csv",
                f"/api/v1/reports?{days}&format=xlsx",
                f"/api/v1/reports?mail={today}",
                f"/api/v1/reports/summary?{days}",
                f"/api/v1/reports/summary?mail={today}",
                "/api/v1/reports/daily",
                f"/api/v1/reports/daily/{today}",
            )
        },
        "review": partial(stage.rest.put, "/api/v1/reports/1/review", json=review),
        "cost of the day": partial(_sum_spent, stage),
        "estimate of a regrade": partial(_list_originals, stage),
        "sync of a new chat": sync_new_chat,
        "grading of one chat": stage.analyze,
        "mail of one report": stage.mail,
        "mail again": partial(stage.mail, resend=True),
    }


async def _look_for_due_runs(stage: Stage) -> None:
    """Execute the jobs that queue no run, at noon: the daily run of yesterday has ended."""
    for queue_due_run in (queue_daily_run, queue_retry_run):
        async with stage.service.database.transaction() as session:
            await queue_due_run(session, EVENING, at(stage, 12))
            assert await covered_dates.list_uncovered(session, until=at(stage, 12).date())


async def _sum_spent(stage: Stage) -> None:
    await sum_spent(stage.service.database, local_date(stage.clock(), MOSCOW), MOSCOW)


async def _list_originals(stage: Stage) -> None:
    now = stage.clock()
    period = RegradePeriod(start=now - timedelta(days=1), end=now, limit=None)
    async for _ in list_originals(stage.service.database, period, timedelta(days=3)):
        pass
