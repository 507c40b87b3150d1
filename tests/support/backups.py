"""What a backup must keep: every row of every table."""

import hashlib
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app.models import Base

TABLES = sorted([*Base.metadata.tables, "alembic_version"])


async def read_rows(url: str) -> dict[str, Any]:
    """Return the number of rows of each table and a digest of all of them, and the sequences."""
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        found: dict[str, Any] = {}
        for table in TABLES:
            statement = f'SELECT t::text FROM {table} AS t ORDER BY t::text COLLATE "C"'  # noqa: S608
            rows = (await connection.execute(text(statement))).scalars().all()
            found[table] = len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest()
        sequences = "SELECT sequencename, last_value FROM pg_sequences ORDER BY 1"
        found["sequences"] = [tuple(row) for row in await connection.execute(text(sequences))]
    await engine.dispose()
    return found
