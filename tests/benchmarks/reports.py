"""``GET /reports`` compared with other implementations (``rivals``), and its resources."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.sandbox.avito import LocalAvito
from app.sandbox.server import Sandbox
from app.services.reports.xlsx_file import MAX_ROWS
from tests.benchmarks import rivals
from tests.benchmarks.http_clients import compare, load, probe_path
from tests.benchmarks.measures import Measure, peak_memory
from tests.benchmarks.own_rest import serve_here
from tests.support.command_line import free_port
from tests.support.service_process import KEY as SERVICE_KEY
from tests.support.service_process import run_service
from tests.support.stage import GOOD_TALK, Stage, on_stage

_MANY = 100_000
_ALL = {"start_date": "2020-01-01", "end_date": "2099-12-31"}


async def measure_reports_speed(url: str) -> list[Measure]:
    """Compare a thousand and ten reports, then load all reports in each format over a socket."""
    async with Sandbox(avito=LocalAvito()) as sandbox, on_stage(url, sandbox) as stage:
        stage.add_talk(*GOOD_TALK)
        await stage.sync()
        await stage.analyze()
        await stage.copy_first_report(999)
        measures = await _compare_with_rivals(stage, url)
        async with serve_here(stage.service) as port:
            # The first response of a process includes one-time costs.
            await load(port, "/api/v1/reports", **_ALL)
            await _create_reports(stage, _MANY)
            measures += await _measure_streams(port)
            await _create_reports(stage, MAX_ROWS - 1)
            return measures + await _measure_sheet(port)


async def _compare_with_rivals(stage: Stage, url: str) -> list[Measure]:
    """Compare the service with two other implementations, each a server in its own process."""
    await stage.change(
        "UPDATE reports SET created_at = created_at - interval '100 days',"
        " body = replace(body::text, left(body->>'created_at', 10),"
        " to_char((body->>'created_at')::date - 100, 'YYYY-MM-DD'))::json"
        " WHERE id IN (SELECT id FROM reports ORDER BY id DESC LIMIT 10)"
    )
    day = (datetime.now(UTC) - timedelta(days=100)).date()
    few = {"start_date": f"{day - timedelta(days=2)}", "end_date": f"{day + timedelta(days=2)}"}
    with tempfile.TemporaryDirectory() as folder:
        async with (
            run_service(url, stage.sandbox, Path(folder)) as service,
            _run_rival("orm", url) as orm,
            _run_rival("bare", url) as bare,
        ):
            ports = [int(service.url.rpartition(":")[2]), orm, bare]
            measures = []
            for words, period in (("1,000 reports", _ALL), ("a period of 10 reports", few)):
                own, by_orm, by_bare = await compare(
                    ports, "/api/v1/reports", SERVICE_KEY, **period
                )
                measures += [
                    Measure(
                        f"{words}, whole answer over HTTP",
                        f"{by_orm / own:.2f} x",
                        f"FastAPI + ORM + response_model ({by_orm * 1000:.1f} ms)",
                    ),
                    Measure(
                        f"  {own * 1000:.1f} ms",
                        f"{by_bare / own:.2f} x",
                        f"bare ASGI, JSON joined by Postgres ({by_bare * 1000:.1f} ms)",
                    ),
                ]
            return measures


@asynccontextmanager
async def _run_rival(kind: str, url: str) -> AsyncIterator[int]:
    port = int(free_port())
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", rivals.__name__, kind, str(port), url
    )
    try:
        async with asyncio.timeout(30):
            while True:
                with suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.1)
        yield port
    finally:
        process.terminate()
        await process.wait()


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
