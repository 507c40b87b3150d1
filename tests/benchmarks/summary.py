"""``GET /reports/summary`` over a year of 18 months, compared with reading the details."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from statistics import median
from time import perf_counter

from sqlalchemy import text

from app.clock import local_date
from app.database.connection import UNLIMITED
from app.database.engine import Database
from app.database.migrate import migrate
from app.models import Report
from app.sandbox.server import Sandbox
from tests.benchmarks.measures import Measure
from tests.support.history import add_history, count_rows_read
from tests.support.stage import Stage, on_stage

_COPIES = 1_071
"""Of the 56 chats of the catalogue: 60,000 chats in 555 days, with 103,000 reports in a year."""
_DAYS = 365
_RUNS = 5
_GOAL_SECONDS = 0.3

_ADD_REPORTS = """
    INSERT INTO reports ({columns}) SELECT {values} FROM reports AS old, generate_series(1, 3) AS n
    WHERE old.id >= 1000000 AND (n < 3 OR old.id % 5 < 3)
"""
"""Most chats have three reports, and some four: 182,000."""
_SPREAD = """
    UPDATE reports SET
        created_at = created_at - id % 86400 * interval '1 second',
        first_client_at = first_client_at - id * 31 % 86400 * interval '1 second',
        detail = jsonb_set(detail, '{answer_times,first_answer_seconds}',
                           to_jsonb(id * 7919 % 9000))
    WHERE id >= 1000000
"""
_FROM_DETAILS = """
    SELECT count(*) FILTER (WHERE detail->'flags' ? 'critical'),
           count(detail->'answer_times'->>'first_answer_seconds')
    FROM reports WHERE kind = 'grading' AND created_at >= :start
"""


async def measure_summary(url: str) -> list[Measure]:
    """Measure the summary of a year, its rows, and the bytes of the table that it reads."""
    pool = Database(url, limits=UNLIMITED)
    await migrate(pool)
    async with Sandbox() as sandbox, on_stage(url, sandbox, pool=pool) as stage:
        await _grade_catalogue(stage)
        await _create_history(stage)
        today = local_date(stage.clock(), stage.service.settings.report_timezone)
        start = today - timedelta(days=_DAYS - 1)
        params = {"start_date": f"{start}", "end_date": f"{today}"}

        async def fetch() -> None:
            answer = await stage.rest.get("/api/v1/reports/summary", params=params)
            assert answer.json()["reports"] > 0

        seconds = await _time(fetch)
        details = await _time(
            lambda: stage.rows(_FROM_DETAILS, start=stage.clock() - timedelta(days=_DAYS))
        )
        rows = await count_rows_read(stage, fetch)
        (sizes,) = await stage.rows(
            "SELECT count(*) AS reports, pg_total_relation_size('report_figures') AS bytes"
            " FROM report_figures"
        )
        of_year = (await stage.rest.get("/api/v1/reports/summary", params=params)).json()["reports"]
    await pool.close()
    return [
        Measure(
            f"{of_year:,} of {sizes['reports']:,} reports, {_DAYS} days",
            f"{seconds * 1000:.0f} ms",
            f"two flags of the details alone: {details * 1000:.0f} ms;"
            f" goal: {_GOAL_SECONDS * 1000:.0f} ms",
        ),
        Measure("  rows read", f"{rows:,}", f"{of_year:,} reports"),
        Measure("  report_figures", f"{sizes['bytes'] / sizes['reports']:.0f} bytes", "a report"),
    ]


async def _grade_catalogue(stage: Stage) -> None:
    await stage.sync()
    await stage.analyze()
    await stage.mail()


async def _create_history(stage: Stage) -> None:
    await add_history(stage, range(_COPIES), a_day=_COPIES / 555)
    moved = {
        "id": "nextval(pg_get_serial_sequence('reports', 'id'))",
        "created_at": "old.created_at - n * interval '37 days 5 hours'",
        "first_client_at": "old.first_client_at - n * interval '37 days 5 hours'",
    }
    names = [column.name for column in Report.__table__.columns if not column.computed]
    values = ", ".join(moved.get(name, f"old.{name}") for name in names)
    await stage.change(_ADD_REPORTS.format(columns=", ".join(names), values=values))
    await stage.change(_SPREAD)
    async with stage.service.database.engine.connect() as connection:
        autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await autocommit.execute(text("VACUUM FULL report_figures"))  # as without the update
        await autocommit.execute(text("VACUUM ANALYZE"))


async def _time(work: Callable[[], Awaitable[object]]) -> float:
    """Return the median of the seconds of several runs, after one that warms the caches."""
    await work()
    seconds = []
    for _ in range(_RUNS):
        began = perf_counter()
        await work()
        seconds.append(perf_counter() - began)
    return median(seconds)
