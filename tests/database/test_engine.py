"""The connection pool: connections that the server has closed."""

import asyncio

from sqlalchemy import make_url, text

from app.database.engine import Database
from tests.support.clusters import fetch_value


async def test_connections_that_the_server_has_closed_are_replaced(
    postgres_url: str, cluster_url: str
) -> None:
    """As after a server restart: later callers get no error."""
    database = Database(postgres_url, pool_size=3)
    together = asyncio.Barrier(3)

    async def get_backend() -> int:
        async with database.session() as session:
            number = int(await session.scalar(text("SELECT pg_backend_pid()")) or 0)
            await together.wait()  # each task has its own connection
            return number

    before = await asyncio.gather(get_backend(), get_backend(), get_backend())
    name = make_url(postgres_url).database
    closed = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE datname ="
    assert await fetch_value(cluster_url, f"{closed} '{name}'") == 3
    after = await asyncio.gather(get_backend(), get_backend(), get_backend())
    assert len({*before, *after}) == 6
    await database.close()
