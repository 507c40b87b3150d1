"""A real Postgres for every test.

Each test process has one cluster and one migrated database, which is emptied after each test.
"""

import gc
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import make_url

from app.database.embedded import embedded_postgres
from app.database.engine import Database
from app.database.migrate import migrate
from app.log import configure_logging
from app.models import Base
from app.sandbox.avito import LocalAvito
from app.sandbox.server import Sandbox
from tests.support.patience import PATIENCE
from tests.support.stage import Stage, on_stage, shared_graders

_numbers = count(1)
_LARGE_BYTES = 500_000
"""Of all tables; about a thousand chats, which /metrics begins to estimate."""

# Imported and collected objects are never freed. Collecting garbage among them takes a sixth of the
# suite's time.
gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the long tests, which start programs, first: no processor is idle at the end."""
    items.sort(key=lambda item: item.path.parent.name not in {"cli", "crash", "database"})


def pytest_collection_finish() -> None:
    """Enable garbage collection for the objects that the tests create."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _logs() -> None:
    configure_logging("INFO", "json")


@pytest_asyncio.fixture(scope="session", autouse=True)
async def _graders() -> AsyncIterator[None]:
    yield
    await shared_graders().aclose()


@pytest_asyncio.fixture(scope="session")
async def cluster_url() -> AsyncIterator[str]:
    """The URL of this test process's cluster."""
    with TemporaryDirectory(prefix="pg-") as folder:
        async with embedded_postgres(Path(folder), durable=False) as url:
            yield url


@pytest_asyncio.fixture
async def postgres_url(cluster_url: str) -> AsyncIterator[str]:
    """The URL of a new, empty database."""
    name = f"fresh_{next(_numbers)}"
    await execute_sql(cluster_url, f"CREATE DATABASE {name}")
    yield make_url(cluster_url).set(database=name).render_as_string(hide_password=False)
    await execute_sql(cluster_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest_asyncio.fixture(scope="session")
async def migrated_url(cluster_url: str) -> str:
    """The URL of a shared database with the current tables; tests use ``database_url``."""
    await execute_sql(cluster_url, "CREATE DATABASE service")
    url = make_url(cluster_url).set(database="service").render_as_string(hide_password=False)
    database = Database(url)
    await migrate(database)
    await database.close()
    return url


@pytest_asyncio.fixture(scope="session")
async def shared_pool(migrated_url: str) -> AsyncIterator[Database]:
    """Connections to the shared database for all tests.

    Opening connections for each test takes longer than most tests.
    """
    database = Database(migrated_url)
    yield database
    await database.close()


@pytest_asyncio.fixture
async def database_url(migrated_url: str, shared_pool: Database) -> AsyncIterator[str]:
    """The URL of a migrated database that is emptied after the test."""
    yield migrated_url
    async with shared_pool.engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        await driver.execute(_build_emptying(), timeout=PATIENCE)


@pytest_asyncio.fixture
async def database(database_url: str, shared_pool: Database) -> Database:
    """A migrated, empty database."""
    return shared_pool


@pytest_asyncio.fixture
async def stage(database_url: str, shared_pool: Database) -> AsyncIterator[Stage]:
    """The service; its Avito has no chats yet."""
    async with (
        Sandbox(avito=LocalAvito()) as sandbox,
        on_stage(database_url, sandbox, pool=shared_pool) as stage,
    ):
        yield stage


@pytest_asyncio.fixture
async def full_stage(database_url: str, shared_pool: Database) -> AsyncIterator[Stage]:
    """The service; its Avito has every dialogue of the catalogue."""
    async with Sandbox() as sandbox, on_stage(database_url, sandbox, pool=shared_pool) as stage:
        yield stage


def _build_emptying() -> str:
    """Return the SQL that deletes all rows.

    TRUNCATE creates a new file for each table and index: sixty times slower for almost empty
    tables. After a large test it also removes the files' free space and the estimates of rows,
    which later tests would read.
    """
    tables = [table.name for table in reversed(Base.metadata.sorted_tables)]
    numbered = [table for table in tables if "id" in Base.metadata.tables[table].columns]
    deletions = "; ".join(f"DELETE FROM {table}" for table in tables)  # noqa: S608 - our own tables
    restarts = "; ".join(f"ALTER SEQUENCE {table}_id_seq RESTART" for table in numbered)
    sizes = " + ".join(f"pg_relation_size('{table}')" for table in tables)
    return f"""
        DO $$ BEGIN
            IF {sizes} > {_LARGE_BYTES} THEN TRUNCATE {", ".join(tables)} RESTART IDENTITY;
            ELSE {deletions}; {restarts};
            END IF;
        END $$
    """


async def execute_sql(url: str, sql: str) -> None:
    parsed = make_url(url)
    connection = await asyncpg.connect(
        user=parsed.username,
        password=parsed.password,
        database=parsed.database,
        host=str(parsed.query["host"]),
    )
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
