"""A daily run with few connections.

No task holds one connection while it waits for another. Calls wait instead of failing.
"""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest

from app.database.engine import Database
from app.sandbox.server import Sandbox
from tests.support.clusters import limit_connections
from tests.support.stage import Stage, on_stage

SPAN = {"start_date": "2020-01-01", "end_date": "2099-12-31"}


async def get_all(stage: Stage, forms: Iterable[str] = ("json", "csv", "xlsx")) -> None:
    """Send the requests of analysts and probes concurrently."""
    paths = [("/api/v1/reports", {**SPAN, "format": form}) for form in forms]
    paths += [("/api/v1/reports/summary", SPAN), ("/api/v1/runs", {}), ("/metrics", {})]
    answers = await asyncio.gather(
        *(stage.rest.get(path, params=params) for path, params in paths * 4)
    )
    assert {answer.status_code for answer in answers} == {200}


async def live_through(stage: Stage) -> None:
    """Run sync, grading and mail, with readers during every step."""
    for step in (stage.sync, stage.analyze, stage.mail):
        await asyncio.gather(step(), get_all(stage), get_all(stage))
    assert len(await stage.reports()) > 10
    assert len(stage.sandbox.smtp.messages) == 2
    day = stage.clock().date().isoformat()
    assert (await stage.post("/timer/reports", {"date": day, "resend": True}))[
        "status"
    ] == "success"
    reports = await stage.reports()
    for path in (f"/reports/{reports[0]['id']}", f"/chats/{reports[0]['chat_id']}"):
        assert (await stage.rest.get(f"/api/v1{path}")).status_code == 200


@pytest.mark.parametrize("size", [1, 2, 3])
async def test_daily_run_with_a_small_pool(database_url: str, size: int) -> None:
    pool = Database(database_url, pool_size=size, slot_seconds=20)
    async with Sandbox() as sandbox, on_stage(database_url, sandbox, pool=pool) as stage:
        await live_through(stage)
    await pool.close()


async def test_daily_run_with_fewer_connections_than_the_pool_size(
    cluster_url: str, postgres_url: str
) -> None:
    async with (
        limit_connections(cluster_url, postgres_url, 4) as url,
        Sandbox() as sandbox,
        on_stage(url, sandbox) as stage,
    ):
        await live_through(stage)


async def test_setting_limits_the_pool(tmp_path: Path) -> None:
    async with (
        Sandbox() as sandbox,
        on_stage(None, sandbox, data_dir=tmp_path, database_pool_size=2) as stage,
    ):
        await asyncio.gather(*(get_all(stage, ["json"]) for _ in range(3)))
        [row] = await stage.rows(
            "SELECT count(*) AS used FROM pg_stat_activity WHERE backend_type = 'client backend'"
        )
        assert row["used"] <= 2
