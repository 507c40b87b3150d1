"""Run all or the named benchmarks and print one table: subject, figure and reference."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from app.database.embedded import embedded_postgres
from app.log import configure_logging
from tests.benchmarks.agreement import measure_agreement_coverage
from tests.benchmarks.authors import measure_author_rule
from tests.benchmarks.contacts import measure_contact_rule
from tests.benchmarks.contradictions import measure_contradiction_rule
from tests.benchmarks.defects import measure_defects
from tests.benchmarks.drift import measure_sync_drift
from tests.benchmarks.grading import measure_grading_backlog, measure_grading_speed
from tests.benchmarks.growth import measure_growth
from tests.benchmarks.history import measure_history
from tests.benchmarks.hostile import measure_hostile
from tests.benchmarks.mail import measure_mail
from tests.benchmarks.measures import Measure
from tests.benchmarks.reports import measure_reports_speed
from tests.benchmarks.storage import measure_storage
from tests.benchmarks.summary import measure_summary
from tests.benchmarks.sync import measure_sync_cost, measure_sync_memory, measure_sync_speed
from tests.benchmarks.trust import measure_trust

BENCHMARKS: dict[str, Callable[[str], Awaitable[list[Measure]]]] = {
    "sync": measure_sync_speed,
    "sync-unchanged": measure_sync_cost,
    "sync-memory": measure_sync_memory,
    "sync-drift": measure_sync_drift,
    "grading": measure_grading_speed,
    "grading-backlog": measure_grading_backlog,
    "reports": measure_reports_speed,
    "mail": measure_mail,
    "summary": measure_summary,
    "storage": measure_storage,
    "history": measure_history,
    "trust": measure_trust,
    "contacts": measure_contact_rule,
    "authors": measure_author_rule,
    "contradictions": measure_contradiction_rule,
    "defects": measure_defects,
    "agreement": measure_agreement_coverage,
    "growth": measure_growth,
    "hostile": measure_hostile,
}


@asynccontextmanager
async def fresh_postgres() -> AsyncIterator[str]:
    """Start a cluster for one benchmark, as durable as in production."""
    with tempfile.TemporaryDirectory() as folder:
        async with embedded_postgres(Path(folder)) as url:
            yield url


async def main(names: list[str]) -> None:
    unknown = set(names) - set(BENCHMARKS)
    if unknown:
        raise SystemExit(
            f"no such benchmark: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}"
        )
    configure_logging("WARNING", "console")
    console = Console(width=120)
    table = Table("benchmark", "measured", "figure", "against")
    for name in names or BENCHMARKS:
        console.print(f"{name} …")
        async with fresh_postgres() as url:
            for measure in await BENCHMARKS[name](url):
                table.add_row(name, measure.what, measure.figure, measure.against)
    console.print(table)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
