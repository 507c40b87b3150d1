"""Backups as a user makes them, and what they must keep: every row of every table."""

import hashlib
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app.models import Base
from tests.support.command_line import ProcessResult, run_app
from tests.support.stage import BAD_TALK, GOOD_TALK, Stage

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


async def fill(stage: Stage) -> None:
    """Fill every kind of table: chats, messages, reports, a mail and its deliveries."""
    stage.add_talk(*GOOD_TALK)
    stage.add_talk(*BAD_TALK, title="Шкаф public.chats; DROP TABLE\\", client="Пётр\tИванов")
    await stage.sync()
    await stage.analyze()
    await stage.mail()


async def run_backup(folder: Path, file: Path, **settings: str) -> ProcessResult:
    """Run the command ``backup``."""
    return await run_app(folder, "backup", str(file), **settings)


async def run_restore(folder: Path, file: Path, **settings: str) -> ProcessResult:
    """Run the command ``restore``."""
    return await run_app(folder, "restore", str(file), **settings)


def list_names(folder: Path) -> list[str]:
    """Return the names of the files of a folder."""
    return [path.name for path in folder.iterdir()]
