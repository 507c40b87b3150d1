"""Bytes on disk for a thousand chats, by table, and the updates of three days.

The chats have the texts of the sandbox's dialogues, 18 messages and 3 reports each. The reference
is the release 8a4b14a with the same chats.
"""

from sqlalchemy import text

from app.database.engine import Database
from app.sandbox.avito import LocalAvito
from app.sandbox.server import Sandbox
from tests.benchmarks.measures import Measure
from tests.support.graded_days import add_dialogues, run_days
from tests.support.stage import on_stage
from tests.support.storage import TableSize, TableUse, read_sizes, read_uses

CHATS, DAYS = 300, 3
_BEFORE_MB = {
    "messages": 9.37,
    "reports": 11.52,
    "packed_exchanges": 8.06,
    "chats": 1.04,
    "reply_uses": 1.34,
}
"""MB for a thousand chats of 8a4b14a, after VACUUM FULL."""
_BEFORE_HOT = {"chats": "35.00, 7%", "messages": "0.72, 15%", "reports": "1.00, 0%"}
_GOAL = "9 MB; 17.7 MB at another mix of texts"


async def measure_storage(url: str) -> list[Measure]:
    """Grade chats on three days, and measure the tables as they lie and without dead rows."""
    avito = LocalAvito()
    async with (
        Sandbox(avito=avito) as sandbox,
        on_stage(url, sandbox, steadiness_share=0.05) as stage,
    ):
        for far_end in (avito, sandbox.deepseek, sandbox.smtp):
            far_end.switches.latency_seconds = 0
        await run_days(stage, add_dialogues(stage, CHATS), DAYS)
        database = stage.service.database
        uses = await read_uses(database)
        lying = await read_sizes(database)
        await _vacuum(database)
        compact = await read_sizes(database)
    largest = sorted(compact, key=lambda name: -compact[name].total)[:6]
    return [
        *(_describe_table(name, compact[name]) for name in largest),
        Measure("chats, messages and reports", _sum_mb(compact, _CORE), f"goal {_GOAL}"),
        Measure("all tables", _sum_mb(compact), "33.1 MB"),
        Measure("all tables with dead rows", _sum_mb(lying), "40.7 MB"),
        *(_describe_updates(name, uses[name]) for name in _BEFORE_HOT),
    ]


_CORE = ("chats", "messages", "reports")


async def _vacuum(database: Database) -> None:
    async with database.engine.connect() as connection:
        alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await alone.execute(text("VACUUM FULL"))


def _describe_table(name: str, size: TableSize) -> Measure:
    parts = " + ".join(_to_mb(part) for part in (size.heap, size.toast, size.indexes))
    before = _BEFORE_MB.get(name)
    return Measure(
        f"{name}: rows, TOAST, indexes",
        f"{_to_mb(size.total)} MB = {parts}",
        f"{before} MB" if before else "",
    )


def _sum_mb(sizes: dict[str, TableSize], names: tuple[str, ...] | None = None) -> str:
    return f"{_to_mb(sum(sizes[name].total for name in names or sizes))} MB"


def _to_mb(size: int) -> str:
    """Return bytes of all chats as MB for a thousand chats."""
    return f"{size / CHATS * 1_000 / 1e6:.2f}"


def _describe_updates(name: str, use: TableUse) -> Measure:
    return Measure(
        f"{name}: updates a row, share of HOT",
        f"{use.updated / use.inserted:.2f}, {use.hot / use.updated:.0%}",
        _BEFORE_HOT[name],
    )
