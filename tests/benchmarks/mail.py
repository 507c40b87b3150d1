"""A mail with ten thousand reports: processor time, memory, event loop and locks."""

import gc
import time
from datetime import date, timedelta
from itertools import count

from sqlalchemy import text

from app.clock import local_date
from app.sandbox.server import Sandbox
from app.service import Service
from app.services.run_params import MailParams
from tests.benchmarks.far_ends import run_service, start_far_ends, time_run
from tests.benchmarks.http_clients import load
from tests.benchmarks.lock_waits import probe_lock
from tests.benchmarks.loop_blocks import LongestBlock, watch_loop
from tests.benchmarks.measures import Measure, peak_memory, resident_mb
from tests.benchmarks.own_rest import serve_here
from tests.support.many_chats import copy_chats
from tests.support.stage import on_stage

_REPORTS = 10_000
_LIMIT = 1_000


async def measure_mail(url: str) -> list[Measure]:
    """Mail copies of the catalogue's chats twice, then load the day's page and two tables."""
    async with Sandbox() as sandbox, on_stage(url, sandbox) as stage:
        await stage.sync()
        graded = (await stage.analyze())["analyzed_chats"]
    async with (
        start_far_ends(chats=0, messages=0) as environment,
        run_service(url, environment) as service,
    ):
        today = local_date(service.clock(), service.settings.report_timezone)
        days = (today + timedelta(days=ahead) for ahead in count(-1))
        await _mail(service, next(days))  # the first mail of a process includes one-time costs
        await copy_chats(service.database, _REPORTS // graded)
        gc.collect()
        gc.freeze()  # as the service does at its start
        measures = await _measure_blocks(service, next(days), url)
        async with service.database.transaction() as session:
            await session.execute(text("UPDATE reports SET digest_id = NULL WHERE digest_id > 1"))
        return [
            *await _measure_cost(service, next(days)),
            *measures,
            *await _measure_rest(service, today),
        ]


async def _mail(service: Service, day: date) -> str:
    _, run = await time_run(service, MailParams(date=day, daily=True))
    assert run.state == "done", run.message
    return str(run.figures["send_reports"])


async def _measure_blocks(service: Service, day: date, url: str) -> list[Measure]:
    async with watch_loop() as block, probe_lock(url) as waits:
        await _mail(service, day)
    return [
        _describe_block("the mail", block, "112 ms"),
        Measure(
            "longest wait of a bulk update of chats for the mail",
            f"{waits[0]:.0f} ms",
            "figures: 3.9 s",
        ),
    ]


async def _measure_cost(service: Service, day: date) -> list[Measure]:
    before, start = resident_mb(), time.process_time()
    with peak_memory() as peak:
        reports = await _mail(service, day)
        spent = time.process_time() - start
    return [
        Measure(
            f"mail with {int(reports):,} reports, processor time",
            f"{spent:.1f} s",
            "goal 1.5 s, was 3.3 s",
        ),
        Measure(
            "  memory afterwards above that before", f"{resident_mb() - before:.0f} MB", "goal 0 MB"
        ),
        Measure("  peak memory above that before", f"{peak.mb:.0f} MB", ""),
    ]


async def _measure_rest(service: Service, day: date) -> list[Measure]:
    period = {
        "start_date": f"{day - timedelta(days=7)}",
        "end_date": f"{day}",
        "limit": str(_LIMIT),
    }
    requests: tuple[tuple[str, str, dict[str, str], str], ...] = (
        ("the day's page", f"/api/v1/reports/daily/{day}", {}, "729 ms"),
        (f"CSV of {_LIMIT:,} reports", "/api/v1/reports", {**period, "format": "csv"}, "70 ms"),
        (f"XLSX of {_LIMIT:,} reports", "/api/v1/reports", {**period, "format": "xlsx"}, "91 ms"),
    )
    measures = []
    async with serve_here(service) as port:
        for what, path, query, before in requests:
            await load(port, path, **query)
            async with watch_loop() as block:
                found = await load(port, path, **query)
            assert found["status"] == 200
            measures.append(
                _describe_block(f"{what}, {found['bytes'] / 1024:,.0f} KB", block, before)
            )
    return measures


def _describe_block(what: str, block: LongestBlock, before: str) -> Measure:
    return Measure(
        f"{what}: longest block of the event loop",
        f"{block.late_ms:.0f} ms, {block.busy_ms:.0f} ms busy",
        f"goal 50 ms, was {before}",
    )
