"""Bytes and updates of the tables."""

import asyncio
from dataclasses import dataclass

from sqlalchemy import text

from app.database.engine import Database
from app.models import Base

TABLES = tuple(table.name for table in Base.metadata.sorted_tables)
_STEADY = 5
"""So many equal readings in a row: all closed connections have reported."""


@dataclass(frozen=True)
class TableUse:
    """Inserted and updated rows since the start, and updates that stayed in their page (HOT)."""

    inserted: int
    updated: int
    hot: int


@dataclass(frozen=True)
class TableSize:
    """Bytes of a table on disk."""

    heap: int
    toast: int
    indexes: int

    @property
    def total(self) -> int:
        return self.heap + self.toast + self.indexes


async def read_uses(database: Database) -> dict[str, TableUse]:
    """Return the use of each table. A connection reports it when it is closed."""
    await database.engine.dispose()
    async with database.session() as session:
        seen: list[dict[str, TableUse]] = []
        while len(seen) < _STEADY or any(one != seen[-1] for one in seen[-_STEADY:]):
            await asyncio.sleep(0.02)
            await session.execute(text("SELECT pg_stat_clear_snapshot()"))
            rows = await session.execute(
                text("SELECT relname, n_tup_ins, n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables")
            )
            seen.append({row[0]: TableUse(*row[1:]) for row in rows})
    return seen[-1]


async def read_sizes(database: Database) -> dict[str, TableSize]:
    """Return the size of each table on disk."""
    statement = """
        SELECT relname, pg_relation_size(relid), pg_table_size(relid) - pg_relation_size(relid),
               pg_indexes_size(relid)
        FROM pg_stat_user_tables
    """
    async with database.session() as session:
        rows = await session.execute(text(statement))
        return {row[0]: TableSize(*row[1:]) for row in rows if row[0] in TABLES}


async def sum_column_bytes(database: Database, table: str) -> int:
    """Return the stored bytes of all values of a table, compressed as they are on disk."""
    columns = (column.name for column in Base.metadata.tables[table].columns)
    bytes_of_row = " + ".join(f"coalesce(pg_column_size({name}), 0)" for name in columns)
    async with database.session() as session:
        found = await session.scalar(text(f"SELECT sum({bytes_of_row}) FROM {table}"))  # noqa: S608
    return int(found or 0)
