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

from app.database.check import check_server
from app.database.connection import Limits
from app.database.engine import Database
from app.errors import DatabaseDeniedError, DatabaseRefusedError, DatabaseUnavailableError
from app.repositories.chat_locks import lock_account
from tests.support.clusters import fetch_value

SOON = Limits(statement=0.3, lock=0.1, idle=0.3)


@pytest_asyncio.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    database = Database(postgres_url, limits=SOON)
    yield database
    await database.close()


@contextmanager
def exhaust_files() -> Iterator[None]:
    """Use up all file descriptors of this process."""
    with ExitStack() as stack:
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, before)
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        with suppress(OSError):
            while True:
                stack.enter_context(Path(os.devnull).open("rb"))
        yield


async def fetch_scalar(database: Database, sql: str) -> object:
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
    assert await fetch_scalar(database, shown) == "300ms 100ms 300ms"
    assert await fetch_scalar(database.with_limits(Limits(60, 45)), shown) == "1min 45s 30s"
    assert await fetch_scalar(database, shown) == "300ms 100ms 300ms"
    async with database.engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        assert await driver.fetchval(shown) == "0 0 0"


async def test_a_slow_statement_ends_and_its_connection_stays(database: Database) -> None:
    before = await fetch_scalar(database, "SELECT pg_backend_pid()")
    with pytest.raises(DatabaseUnavailableError, match="не уложился в срок"):
        await fetch_scalar(database, "SELECT pg_sleep(60)")
    assert await fetch_scalar(database, "SELECT pg_backend_pid()") == before
    assert (
        await fetch_scalar(database.with_limits(Limits(60, 60)), "SELECT pg_sleep(1) IS NOT NULL")
        is True
    )


async def test_lock_held_by_another_transaction(database: Database, postgres_url: str) -> None:
    await fetch_value(postgres_url, "CREATE TABLE chats AS SELECT 1 AS id")
    async with database.engine.begin() as other:
        await other.execute(text("LOCK TABLE chats"))
        with pytest.raises(DatabaseUnavailableError, match="заблокированы"):
            await fetch_scalar(database, "SELECT id FROM chats")
    assert await fetch_scalar(database, "SELECT id FROM chats") == 1


async def test_a_frozen_replica_loses_its_lock_and_the_others_get_it(
    database: Database, postgres_url: str
) -> None:
    """The frozen replica has begun a transaction as the service does, and sends nothing more."""
    frozen = Database(postgres_url, limits=SOON)
    async with frozen.session() as session:
        await lock_account(session, 1)
        async with asyncio.timeout(30), database.with_limits(Limits(20, 20)).transaction() as other:
            await lock_account(other, 1)
        with pytest.raises(DBAPIError):
            await session.execute(text("SELECT 1"))
        await session.invalidate()
    await frozen.close()


async def test_transaction_ended_by_postgres_is_an_outage(database: Database) -> None:
    async def idle_in_transaction() -> None:
        async with database.transaction() as session:
            await session.execute(text("SELECT 1"))
            await asyncio.sleep(1)
            await session.execute(text("SELECT 1"))

    with pytest.raises(DatabaseUnavailableError):
        await idle_in_transaction()
    assert await fetch_scalar(database, "SELECT 1") == 1


async def test_deadlock_is_an_outage(database: Database) -> None:
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


async def raise_sqlstate(database: Database, state: str) -> BaseException:
    sql = f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$"
    with pytest.raises((DatabaseUnavailableError, DBAPIError)) as caught:
        await fetch_scalar(database, sql)
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
async def test_temporary_errors_are_outages(database: Database, state: str) -> None:
    error = await raise_sqlstate(database, state)
    assert isinstance(error, DatabaseUnavailableError)
    assert not isinstance(error, DatabaseRefusedError)


@pytest.mark.parametrize("state", ["28P01", "28000", "3D000"])
async def test_wrong_setting_is_a_refusal(database: Database, state: str) -> None:
    assert isinstance(await raise_sqlstate(database, state), DatabaseRefusedError)


async def test_missing_right_is_a_refusal_in_the_words_of_postgres(database: Database) -> None:
    error = await raise_sqlstate(database, "42501")
    assert isinstance(error, DatabaseDeniedError)
    assert error.reason in error.message
    assert "GRANT" in error.message


@pytest.mark.parametrize("state", ["42P01", "23505", "22P05", "XX001", "P0001"])
async def test_programming_errors_are_not_converted(database: Database, state: str) -> None:
    assert isinstance(await raise_sqlstate(database, state), DBAPIError)


async def test_only_utf8_is_accepted(cluster_url: str) -> None:
    await fetch_value(
        cluster_url,
        "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C' LOCALE_PROVIDER"
        " libc",
    )
    database = Database(
        make_url(cluster_url).set(database="latin").render_as_string(hide_password=False)
    )
    try:
        with pytest.raises(DatabaseRefusedError, match="LATIN1"):
            await check_server(database)
    finally:
        await database.close()
        await fetch_value(cluster_url, "DROP DATABASE latin")


async def test_nothing_is_a_startup_parameter(database: Database) -> None:
    """pgbouncer refuses parameters that it does not support."""
    async with database.session() as session:
        driver = (await (await session.connection()).get_raw_connection()).driver_connection
    assert isinstance(driver, asyncpg.Connection)
    assert set(driver._params.server_settings or {}) == set()


async def test_missing_file_descriptors_are_not_a_database_fault(database: Database) -> None:
    with exhaust_files(), pytest.raises(DatabaseUnavailableError, match="ulimit"):
        await fetch_scalar(database, "SELECT 1")
