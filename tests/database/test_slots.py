"""The pool: its size, idle connections, and a server with fewer connections than the pool."""

import asyncio
from collections.abc import Callable, Coroutine

import asyncpg
import pytest
from sqlalchemy import make_url, text

from app.database.copied_rows import copy_rows
from app.database.engine import Database
from app.database.slots import ConnectionSlots
from app.errors import DatabaseUnavailableError
from tests.support.clusters import fetch_value, limit_connections
from tests.support.stage import until


async def hold(database: Database, seconds: float = 0.02) -> int:
    """Use a connection for a while; return its backend's pid."""
    async with database.session() as session:
        number = int(await session.scalar(text("SELECT pg_backend_pid()")) or 0)
        await asyncio.sleep(seconds)
        return number


async def copy(database: Database) -> int:
    """Do the same without a session."""
    rows = await copy_rows(
        database, "SELECT pg_backend_pid()::bigint, '' FROM pg_sleep(0.02)", {}, numbers=1
    )
    return rows.numbers(0)[0]


async def count_connections(url: str, role: str | None = None) -> int:
    """Return the number of connections to the database, except the querying one."""
    condition = f"usename = '{role}'" if role else "datname = current_database()"
    found = await fetch_value(
        url,
        "SELECT count(*) FROM pg_stat_activity"  # noqa: S608 - constant text
        f" WHERE {condition} AND pid <> pg_backend_pid()",
    )
    return int(found)


async def test_idle_connections_are_closed_by_timer(
    postgres_url: str,
) -> None:
    database = Database(postgres_url, pool_size=5, idle_seconds=0.3)
    assert len(set(await asyncio.gather(*(hold(database) for _ in range(5))))) == 5

    async def none_is_left() -> bool:
        return await count_connections(postgres_url) == 0

    await until(none_is_left)
    await hold(database)
    await database.close()


async def test_little_work_keeps_only_one_connection(postgres_url: str) -> None:
    database = Database(postgres_url, pool_size=5, idle_seconds=0.5)
    await asyncio.gather(*(hold(database) for _ in range(5)))

    async def one_is_left() -> bool:
        await hold(database)
        return await count_connections(postgres_url) == 1

    await until(one_is_left)
    await database.close()


@pytest.mark.parametrize("use", [hold, copy])
@pytest.mark.parametrize("limit", [1, 4])
async def test_calls_wait_where_the_server_has_fewer_connections(
    cluster_url: str,
    postgres_url: str,
    limit: int,
    use: Callable[[Database], Coroutine[None, None, int]],
) -> None:
    async with limit_connections(cluster_url, postgres_url, limit) as url:
        database = Database(url, pool_size=10, idle_seconds=5)
        backends = await asyncio.gather(*(use(database) for _ in range(60)))
        assert len(set(backends)) <= limit
        await database.close()


async def test_connections_held_by_others_are_waited_for(
    cluster_url: str, postgres_url: str
) -> None:
    async with limit_connections(cluster_url, postgres_url, 2) as url:
        parsed = make_url(url)
        others = [
            await asyncpg.connect(
                user="small",
                password="small",
                database=parsed.database,
                host=str(parsed.query["host"]),
            )
            for _ in range(2)
        ]
        database = Database(url, pool_size=3)
        waiting = asyncio.gather(*(hold(database) for _ in range(6)))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        for other in others:
            await other.close()
        assert len(set(await waiting)) <= 2
        await database.close()


async def test_missing_connections_are_reported_after_the_timeout(
    cluster_url: str, postgres_url: str
) -> None:
    async with limit_connections(cluster_url, postgres_url, 0) as url:
        database = Database(url, slot_seconds=0.5)
        with pytest.raises(DatabaseUnavailableError, match="все соединения сервера заняты"):
            await hold(database)
        await database.close()


async def test_connections_returned_to_a_small_server_can_be_opened_again(
    cluster_url: str, postgres_url: str
) -> None:
    """Another client has taken the freed connections; the remaining ones must suffice."""
    async with limit_connections(cluster_url, postgres_url, 3) as url:
        parsed = make_url(url)
        database = Database(url, pool_size=10, idle_seconds=0.6)
        await asyncio.gather(*(hold(database) for _ in range(10)))

        async def one_is_left() -> bool:
            await hold(database)
            return await count_connections(postgres_url, "small") == 1

        await until(one_is_left)
        other = await asyncpg.connect(
            user="small", password="small", database=parsed.database, host=str(parsed.query["host"])
        )
        await asyncio.gather(*(hold(database) for _ in range(30)))
        await other.close()
        await database.close()


async def test_saturated_pool_is_waited_for_and_reported(postgres_url: str) -> None:
    database = Database(postgres_url, pool_size=1, slot_seconds=0.5)
    await asyncio.gather(*(hold(database) for _ in range(5)))
    async with database.session():
        with pytest.raises(DatabaseUnavailableError, match="DATABASE_POOL_SIZE"):
            await hold(database)
    await hold(database)
    await database.close()


async def test_slots_are_granted_in_order_and_cancelled_tasks_lose_none() -> None:
    places, served = ConnectionSlots(1, raise_seconds=60), list[int]()

    async def use(number: int) -> None:
        await places.acquire()
        served.append(number)
        await asyncio.sleep(0)
        places.release()

    await places.acquire()
    tasks = [asyncio.create_task(use(number)) for number in range(5)]
    await asyncio.sleep(0)
    tasks[1].cancel()  # while it waits
    places.release()
    tasks[0].cancel()  # after the slot was granted to it
    await asyncio.gather(*tasks, return_exceptions=True)
    assert served == [2, 3, 4]
    await use(5)


async def test_the_limit_rises_again() -> None:
    places = ConnectionSlots(3, raise_seconds=0.05)
    for _ in range(3):
        await places.acquire()
    assert places.lower_limit()
    places.release()
    assert places.limit == 2

    def is_raised() -> bool:
        return places.limit == 3

    await _until(is_raised)


async def _until(condition: Callable[[], bool]) -> None:
    async def is_met() -> bool:
        return condition()

    await until(is_met)
