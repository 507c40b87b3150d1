"""``GET /reports`` compared with the conventional implementation, and its resources.

The conventional implementation turns rows into objects, objects into models and models into JSON.
"""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing

from pydantic import TypeAdapter
from sqlalchemy import select

from app.api.v1.schemas import ReportRead
from app.cli.rest_server import listen, serve_rest
from app.models import Report
from app.sandbox.avito import LocalAvito
from app.sandbox.server import Sandbox
from app.services.reports.xlsx_file import MAX_ROWS
from tests.benchmarks.http_clients import load, probe_path
from tests.benchmarks.measures import Measure, peak_memory
from tests.support.stage import GOOD_TALK, Stage, on_stage

_LIST = TypeAdapter(list[ReportRead])
_MANY = 100_000
_ALL = {"start_date": "2020-01-01", "end_date": "2099-12-31"}


async def measure_reports_speed(url: str) -> list[Measure]:
    """Load a thousand reports both ways, then all reports in each format over a socket."""
    async with Sandbox(avito=LocalAvito()) as sandbox, on_stage(url, sandbox) as stage:
        stage.add_talk(*GOOD_TALK)
        await stage.sync()
        await stage.analyze()
        await stage.copy_first_report(999)
        ratio = await _compare_with_conventional(stage)
        async with _serve_rest(stage) as port:
            # The first response of a process includes one-time costs.
            await load(port, "/api/v1/reports", **_ALL)
            measures = [
                Measure(
                    "1,000 reports, whole answer with the key's check",
                    f"{ratio:.1f} x faster",
                    "rows to models to JSON, no HTTP",
                )
            ]
            await _create_reports(stage, _MANY)
            measures += await _measure_streams(port)
            await _create_reports(stage, MAX_ROWS - 1)
            return measures + await _measure_sheet(port)


async def _compare_with_conventional(stage: Stage) -> float:
    async def request_reports() -> None:
        answer = await stage.rest.get("/api/v1/reports", params=_ALL)
        assert answer.status_code == 200
        assert len(answer.content) > 500_000

    async def serialize_rows() -> None:
        async with stage.service.database.session() as session:
            rows = await session.scalars(
                select(Report).order_by(Report.created_at.desc(), Report.id.desc())
            )
            _LIST.dump_json(_LIST.validate_python([row.body for row in rows]))

    pairs = [
        (await _measure_seconds(request_reports), await _measure_seconds(serialize_rows))
        for _ in range(15)
    ]
    return statistics.median(
        conventional_seconds / own_seconds for own_seconds, conventional_seconds in pairs
    )


async def _create_reports(stage: Stage, copies: int) -> None:
    await stage.change("DELETE FROM reports WHERE id > 1")
    await stage.copy_first_report(copies)
    await stage.change("ANALYZE reports")


async def _measure_streams(port: int) -> list[Measure]:
    measures = []
    seconds = {}
    for form in ("json", "csv"):
        with peak_memory() as peak:
            found = await load(port, "/api/v1/reports", **_ALL, format=form)
        assert found["status"] == 200
        seconds[form] = found["seconds"]
        measures += [
            Measure(
                f"{_MANY:,} reports as {form}, peak memory above idle",
                f"{peak.mb:.0f} MB",
                f"{found['bytes'] / 2**20:.0f} MB sent",
            ),
            Measure(
                "  first byte",
                f"{found['first_byte_ms']:.0f} ms",
                f"{found['seconds']:.1f} s in all",
            ),
        ]
    return [
        *measures,
        Measure("  CSV's time", f"{seconds['csv'] / seconds['json']:.1f} x", "JSON's"),
    ]


async def _measure_sheet(port: int) -> list[Measure]:
    async with probe_path(port, "/health/live") as idle:
        await asyncio.sleep(2)
    with peak_memory() as peak:
        async with probe_path(port, "/health/live") as busy:
            found = await load(port, "/api/v1/reports", **_ALL, format="xlsx")
    assert found["status"] == 200
    return [
        Measure(
            f"{MAX_ROWS:,} reports as xlsx",
            f"{found['seconds']:.1f} s",
            f"{peak.mb:.0f} MB above idle",
        ),
        Measure(
            "  /health/live meanwhile, p50 / p99 / max",
            " / ".join(f"{busy[key]:.0f}" for key in ("p50", "p99", "max")) + " ms",
            "idle: " + " / ".join(f"{idle[key]:.0f}" for key in ("p50", "p99", "max")) + " ms",
        ),
    ]


@asynccontextmanager
async def _serve_rest(stage: Stage) -> AsyncIterator[int]:
    """Run a real server in this process and yield its port."""
    nothing = asyncio.create_task(asyncio.sleep(3600))
    with closing(listen("127.0.0.1", 0, "")) as listener:
        async with serve_rest(stage.service, listener, nothing):
            yield listener.getsockname()[1]


async def _measure_seconds(work: Callable[[], Awaitable[None]]) -> float:
    start = time.perf_counter()
    await work()
    return time.perf_counter() - start
