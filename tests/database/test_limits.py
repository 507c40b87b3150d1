"""Limits enforced by Postgres: slow statements, locks, frozen clients.

Each failure maps to a defined error.
"""

import asyncio
import os
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from app.database.connection import Limits
from app.database.engine import Database
from app.errors import DatabaseRefusedError, DatabaseUnavailableError
from app.repositories.locks import lock_bulk_chat_updates

from .clusters import ask

SOON = Limits(statement=0.3, lock=0.1, idle=0.3)


@pytest_asyncio.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    database = Database(postgres_url, limits=SOON)
    yield database
    await database.close()


@contextmanager
def no_free_files() -> Iterator[None]:
    """Use up all file descriptors of this process."""
    with ExitStack() as stack:
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, before)
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        with suppress(OSError):
            while True:
                stack.enter_context(Path(os.devnull).open("rb"))
        yield


async def scalar(database: Database, sql: str) -> object:
    async with database.session() as session:
        return await session.scalar(text(sql))


async def test_limits_end_with_the_transaction(database: Database, postgres_url: str) -> None:
    """As session settings they would reach other clients of a pooler."""
    shown = "SELECT concat_ws(' ', {}, {}, {})".format(
        *(
            f"current_setting('{name}')"
            for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        )
    )
    assert await scalar(database, shown) == "300ms 100ms 300ms"
    assert await scalar(database.with_limits(Limits(60, 45)), shown) == "1min 45s 30s"
    assert await scalar(database, shown) == "300ms 100ms 300ms"
    async with database.engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        assert await driver.fetchval(shown) == "0 0 0"


async def test_a_slow_statement_ends_and_its_connection_stays(database: Database) -> None:
    before = await scalar(database, "SELECT pg_backend_pid()")
    with pytest.raises(DatabaseUnavailableError, match="не уложился в срок"):
        await scalar(database, "SELECT pg_sleep(60)")
    assert await scalar(database, "SELECT pg_backend_pid()") == before
    assert (
        await scalar(database.with_limits(Limits(60, 60)), "SELECT pg_sleep(1) IS NOT NULL") is True
    )


async def test_a_lock_that_somebody_holds(database: Database) -> None:
    await ask(database.engine.url, "CREATE TABLE chats AS SELECT 1 AS id")
    async with database.engine.begin() as other:
        await other.execute(text("LOCK TABLE chats"))
        with pytest.raises(DatabaseUnavailableError, match="заблокированы"):
            await scalar(database, "SELECT id FROM chats")
    assert await scalar(database, "SELECT id FROM chats") == 1


async def test_a_frozen_replica_loses_its_lock_and_the_others_get_it(
    database: Database, postgres_url: str
) -> None:
    """The frozen replica has begun a transaction as the service does, and sends nothing more."""
    frozen = Database(postgres_url, limits=SOON)
    async with frozen.session() as session:
        await lock_bulk_chat_updates(session)
        async with asyncio.timeout(30), database.with_limits(Limits(20, 20)).transaction() as other:
            await lock_bulk_chat_updates(other)
        with pytest.raises(DBAPIError):
            await session.execute(text("SELECT 1"))
        await session.invalidate()
    await frozen.close()


async def test_a_transaction_that_postgres_has_cut_off_is_an_outage(database: Database) -> None:
    async def linger() -> None:
        async with database.transaction() as session:
            await session.execute(text("SELECT 1"))
            await asyncio.sleep(1)
            await session.execute(text("SELECT 1"))

    with pytest.raises(DatabaseUnavailableError):
        await linger()
    assert await scalar(database, "SELECT 1") == 1


async def test_a_deadlock_can_be_repeated(database: Database) -> None:
    patient = database.with_limits(Limits(30, 30))
    together = asyncio.Barrier(2)

    async def lock(first: int, second: int) -> None:
        async with patient.transaction() as session:
            await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": first})
            await together.wait()
            await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": second})

    results = await asyncio.gather(lock(1, 2), lock(2, 1), return_exceptions=True)
    [failed] = [result for result in results if result is not None]
    assert isinstance(failed, DatabaseUnavailableError)
    assert "блокировка" in failed.message


async def raised(database: Database, state: str) -> BaseException:
    sql = f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$"
    with pytest.raises((DatabaseUnavailableError, DBAPIError)) as caught:
        await scalar(database, sql)
    return caught.value


@pytest.mark.parametrize(
    "state",
    [
        "08006",
        "25006",
        "25P03",
        "40001",
        "40P01",
        "53100",
        "53200",
        "53300",
        "55P03",
        "57014",
        "57P01",
        "57P02",
        "57P03",
        "57P05",
        "58030",
    ],
)
async def test_what_passes_is_an_outage(database: Database, state: str) -> None:
    error = await raised(database, state)
    assert isinstance(error, DatabaseUnavailableError)
    assert not isinstance(error, DatabaseRefusedError)


@pytest.mark.parametrize("state", ["28P01", "28000", "3D000"])
async def test_what_a_person_has_to_change_is_a_refusal(database: Database, state: str) -> None:
    assert isinstance(await raised(database, state), DatabaseRefusedError)


@pytest.mark.parametrize("state", ["42501", "42P01", "23505", "22P05", "XX001", "P0001"])
async def test_what_is_our_own_fault_stays_what_it_is(database: Database, state: str) -> None:
    assert isinstance(await raised(database, state), DBAPIError)


async def test_only_utf8_will_do(cluster_url: str) -> None:
    await ask(
        cluster_url,
        "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C' LOCALE_PROVIDER"
        " libc",
    )
    database = Database(
        make_url(cluster_url).set(database="latin").render_as_string(hide_password=False)
    )
    try:
        with pytest.raises(DatabaseRefusedError, match="LATIN1"):
            await database.check()
    finally:
        await database.close()
        await ask(cluster_url, "DROP DATABASE latin")


async def test_nothing_is_a_startup_parameter(database: Database) -> None:
    """pgbouncer refuses parameters that it does not support."""
    async with database.session() as session:
        driver = (await (await session.connection()).get_raw_connection()).driver_connection
    assert isinstance(driver, asyncpg.Connection)
    assert set(driver._params.server_settings or {}) == set()


async def test_a_process_without_free_files_does_not_blame_the_server(database: Database) -> None:
    with no_free_files(), pytest.raises(DatabaseUnavailableError, match="ulimit"):
        await scalar(database, "SELECT 1")
