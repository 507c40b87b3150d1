"""A migration waits for tables without stopping the processes of the release before."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic

import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.database.connection import Limits
from app.database.engine import Database
from app.database.migrate import get_current_revision, get_head_revision, migrate

BEFORE = "0022"
"""The revision of the release before."""
_DEADLOCK_SECONDS = 1
"""After so long, Postgres ends a transaction that waits in a deadlock."""
_LONGEST_SECONDS = 1.9
"""Of a statement behind a migration that waits. A second is for a busy machine."""


@pytest_asyncio.fixture
async def before(postgres_url: str) -> AsyncIterator[Database]:
    """A database with the tables of the release before."""
    database = Database(postgres_url, limits=Limits(statement=20, lock=_LONGEST_SECONDS, idle=0))
    await migrate(database, BEFORE)
    yield database
    await database.close()


async def test_statements_go_on_while_a_migration_waits_for_a_backup(before: Database) -> None:
    """A backup reads all tables in one transaction."""
    async with asyncio.TaskGroup() as group, before.session() as backup:
        tables = await _list_tables(backup)
        await _read(backup, *tables)
        migration = group.create_task(migrate(before))
        began = monotonic()
        while monotonic() < began + 4:
            for table in tables:
                async with before.transaction() as session:
                    await _read(session, table)
        assert not migration.done()
        assert await get_current_revision(before) == BEFORE
    assert await get_current_revision(before) == get_head_revision()


async def test_process_of_the_release_before_is_no_victim_of_a_deadlock(before: Database) -> None:
    """It needs the chats while it holds the last of the tables that the migration locks."""
    async with asyncio.TaskGroup() as group, before.session() as reader:
        await _read(reader, "digests")
        group.create_task(migrate(before))
        await asyncio.sleep(_DEADLOCK_SECONDS + 0.5)
        await _read(reader, "chats")


async def _list_tables(session: AsyncSession) -> list[str]:
    sql = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    return list(await session.scalars(text(sql)))


async def _read(session: AsyncSession, *tables: str) -> None:
    for table in tables:
        await session.execute(text(f"SELECT FROM {table} LIMIT 1"))
