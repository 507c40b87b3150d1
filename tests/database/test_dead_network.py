"""A network that silently loses bytes.

Every use of the database ends in time, and recovers at once.
"""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text

from app.database.connection import Limits
from app.database.copied_rows import copy_rows
from app.database.embedded import embedded_postgres
from app.database.engine import Database
from app.database.migrate import migrate
from app.errors import DatabaseUnavailableError
from tests.support.clusters import list_servers
from tests.support.network import Network, open_network
from tests.support.stage import until

SOON = Limits(statement=0.3, lock=0.1, idle=0.5, margin=0.3)
HOLD_SECONDS = 30
"""Far more than the limits, their margins and a busy machine need; a longer call hangs."""


@pytest_asyncio.fixture
async def network(postgres_url: str) -> AsyncIterator[Network]:
    async with open_network(postgres_url) as network:
        yield network


@pytest_asyncio.fixture
async def database(network: Network) -> AsyncIterator[Database]:
    database = Database(network.url, pool_size=5, limits=SOON, connect_seconds=1, slot_seconds=5)
    yield database
    async with asyncio.timeout(HOLD_SECONDS):
        await database.close()


async def get_backend(database: Database, sql: str = "SELECT 1") -> int:
    async with database.session() as session:
        number = int(await session.scalar(text("SELECT pg_backend_pid()")) or 0)
        await session.execute(text(sql))
    return number


async def copy_backend(database: Database, sql: str = "SELECT 1") -> int:
    rows = f"SELECT pg_backend_pid()::bigint, '' FROM ({sql}) AS waited"  # noqa: S608 - ours
    return (await copy_rows(database, rows, {}, numbers=1)).numbers(0)[0]


Ask = Callable[..., Coroutine[None, None, int]]
by_session_and_by_copy = pytest.mark.parametrize("ask", [get_backend, copy_backend])


async def expect_outage(database: Database, ask: Ask = get_backend) -> str:
    async with asyncio.timeout(HOLD_SECONDS):
        with pytest.raises(DatabaseUnavailableError) as caught:
            await ask(database)
    return caught.value.message


@by_session_and_by_copy
async def test_silent_connection_costs_one_timeout_and_closes_idle_ones(
    database: Database, network: Network, ask: Ask
) -> None:
    before = await asyncio.gather(*(ask(database, "SELECT pg_sleep(0.05)") for _ in range(5)))
    assert len(set(before)) == 5
    network.blackhole()
    assert "сервер не отвечает" in await expect_outage(database, ask)
    network.heal()
    # None of them gets a dead connection.
    after = await asyncio.gather(*(ask(database) for _ in range(5)))
    assert not {*before} & {*after}


@pytest.mark.parametrize("direction", ["to_server", "to_client"])
async def test_one_direction_alone_is_enough(
    database: Database, network: Network, direction: str
) -> None:
    await get_backend(database)
    network.silent = frozenset({direction})  # type: ignore[arg-type]
    assert "сервер не отвечает" in await expect_outage(database)


async def test_every_step_of_a_transaction_is_limited(database: Database, network: Network) -> None:
    async def break_transaction(*, before_commit: bool) -> None:
        async with database.transaction() as session:
            await session.execute(text("SELECT 1"))
            network.blackhole()
            if not before_commit:
                await session.execute(text("SELECT 2"))

    for before_commit in (True, False):
        network.heal()
        async with asyncio.timeout(HOLD_SECONDS):
            with pytest.raises(DatabaseUnavailableError):
                await break_transaction(before_commit=before_commit)


async def test_a_failed_rollback_is_limited(database: Database, network: Network) -> None:
    async def fail() -> None:
        async with database.session() as session:
            await session.execute(text("SELECT 1"))
            network.blackhole()
            raise ValueError

    async with asyncio.timeout(HOLD_SECONDS):
        with pytest.raises((ValueError, DatabaseUnavailableError)):
            await fail()
    network.heal()
    await get_backend(database)


async def test_driver_calls_are_limited(database: Database, network: Network) -> None:
    async def ask_driver() -> None:
        async with database.session() as session:
            driver = (await (await session.connection()).get_raw_connection()).driver_connection
            assert driver
            network.blackhole()
            await driver.fetchval("SELECT 1")

    async with asyncio.timeout(HOLD_SECONDS):
        with pytest.raises(DatabaseUnavailableError):
            await ask_driver()


@by_session_and_by_copy
async def test_cancelled_task_ends_on_a_dead_network(
    database: Database, network: Network, ask: Ask
) -> None:
    patient = database.with_limits(Limits(statement=600, lock=600))
    await get_backend(patient)
    network.blackhole()
    for _ in range(2):  # on an open connection, and while one is being opened
        task = asyncio.create_task(ask(patient))
        await asyncio.sleep(0.1)
        task.cancel()
        async with asyncio.timeout(HOLD_SECONDS):
            with pytest.raises((asyncio.CancelledError, DatabaseUnavailableError)):
                await task
    network.heal()
    await ask(database)


async def test_session_timeout_of_the_caller(database: Database, network: Network) -> None:
    patient = database.with_limits(Limits(statement=600, lock=600))
    await get_backend(patient)
    network.blackhole()

    async def ask_soon() -> None:
        async with patient.session(within=0.1) as session:
            await session.execute(text("SELECT 1"))

    async with asyncio.timeout(HOLD_SECONDS):
        with pytest.raises(DatabaseUnavailableError):
            await ask_soon()


async def test_closing_does_not_wait_for_a_dead_network(
    database: Database, network: Network
) -> None:
    await asyncio.gather(*(get_backend(database, "SELECT pg_sleep(0.05)") for _ in range(5)))
    network.blackhole()
    async with asyncio.timeout(HOLD_SECONDS):
        await database.close()


@by_session_and_by_copy
async def test_connections_that_are_reset_or_refused(
    database: Database, network: Network, ask: Ask
) -> None:
    await ask(database)
    network.refusing = True
    network.reset()
    assert "DATABASE_URL" in await expect_outage(database, ask)
    network.heal()
    await ask(database)


async def test_a_migration_has_no_limit_but_ends_with_its_connection(
    network: Network, postgres_url: str
) -> None:
    holder, waiting = Database(postgres_url), Database(network.url, limits=SOON)
    async with holder.transaction() as session:
        await session.execute(text("SELECT pg_advisory_xact_lock(5318008201)"))
        task = asyncio.create_task(migrate(waiting))
        await asyncio.sleep(1)
        assert not task.done()
        network.reset()
        with pytest.raises(DatabaseUnavailableError):
            await task
    await waiting.close()
    await holder.close()


async def test_a_paused_server(used_dir: Path) -> None:
    """SIGSTOP, as with ``docker pause``: the kernel accepts connections, no process replies."""
    async with embedded_postgres(used_dir, durable=False) as url:
        database = Database(url, limits=SOON, connect_seconds=0.5)
        await asyncio.gather(*(get_backend(database) for _ in range(3)))
        stopped = list_servers(used_dir)
        for process in stopped:
            process.send_signal(signal.SIGSTOP)
        try:
            for _ in range(3):  # with a connection, and without one
                assert "Postgres" in await expect_outage(database)
            async with asyncio.timeout(HOLD_SECONDS):
                await database.close()
        finally:
            for process in stopped:
                with suppress(Exception):
                    process.send_signal(signal.SIGCONT)
        await get_backend(database)
        await database.close()


async def test_connection_that_is_too_slow_is_closed(network: Network) -> None:
    """The connection is accepted, but its first statements, the pool's own, time out."""
    database = Database(network.url, limits=SOON, connect_seconds=20)
    network.delay_seconds = 0.4
    for _ in range(2):
        await expect_outage(database)
    network.heal()

    async def none_is_open() -> bool:
        return network.connections == 0

    await until(none_is_open)
    await database.close()


@pytest.mark.skipif(sys.platform != "linux", reason="TCP_USER_TIMEOUT is Linux's")
async def test_tcp_keepalive_is_set(database: Database) -> None:
    async with database.session() as session:
        driver = (await (await session.connection()).get_raw_connection()).driver_connection
        assert driver
        connected = driver._transport.get_extra_info("socket")
        assert connected.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 10
        assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 20_000
