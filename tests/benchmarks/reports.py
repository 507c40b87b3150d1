"""``GET /reports`` against the usual way: rows as objects, objects as models, models as JSON."""

import statistics
import time
from collections.abc import Awaitable, Callable

from pydantic import TypeAdapter
from sqlalchemy import select

from app.api.v1.schemas import ReportRead
from app.models import Report
from app.sandbox.avito import LocalAvito
from app.sandbox.server import Sandbox
from tests.benchmarks.measures import Measure, resident_mb
from tests.stage import GOOD_TALK, Stage, on_stage

_LIST = TypeAdapter(list[ReportRead])


async def reports_speed(url: str) -> list[Measure]:
    """The same thousand reports both ways in turn; then a hundred thousand in one answer."""
    async with Sandbox(avito=LocalAvito()) as sandbox, on_stage(url, sandbox) as stage:
        stage.add_talk(*GOOD_TALK)
        await stage.sync()
        await stage.analyze()
        await stage.copy_first_report(999)

        async def ours() -> None:
            assert len((await _get(stage)).content) > 500_000

        async def usual() -> None:
            async with stage.service.database.session() as session:
                rows = await session.scalars(select(Report).order_by(Report.created_at.desc(), Report.id.desc()))
                _LIST.dump_json(_LIST.validate_python([row.body for row in rows]))

        pairs = [(await _seconds(ours), await _seconds(usual)) for _ in range(15)]
        ratio = statistics.median(theirs / mine for mine, theirs in pairs)
        await stage.change("DELETE FROM reports WHERE id > 1")
        await stage.copy_first_report(100_000)
        before, peak = resident_mb(), 0.0
        async with stage.rest.stream("GET", "/api/v1/reports", params=_ALL) as answer:
            async for _ in answer.aiter_bytes():
                peak = max(peak, resident_mb())
        return [
            Measure("1,000 reports, whole answer with the key's check", f"{ratio:.1f} x faster", "rows to models to JSON, no HTTP"),
            Measure("100,000 reports, peak memory above idle", f"{peak - before:.0f} MB", "client in the same process"),
        ]


_ALL = {"start_date": "2020-01-01", "end_date": "2099-12-31"}


async def _get(stage: Stage):  # type: ignore[no-untyped-def]
    answer = await stage.rest.get("/api/v1/reports", params=_ALL)
    assert answer.status_code == 200
    return answer


async def _seconds(work: Callable[[], Awaitable[None]]) -> float:
    start = time.perf_counter()
    await work()
    return time.perf_counter() - start
