"""A day straight on Postgres with few rights, and a day through pgbouncer."""

from pathlib import Path

from tests.real.days import Row, run_day
from tests.real.pgbouncer import start_pgbouncer
from tests.real.postgres import PASSWORD, PostgresServer
from tests.support.command_line import run_app

_CONNECTIONS = 5
"""For two processes, whose pools would have ten each."""


async def run_restricted_day(server: PostgresServer, folder: Path) -> list[Row]:
    """Run a day as a role that owns one schema and may open few connections.

    Another program's ``alembic_version`` is in the schema ``public`` of the same database.
    """
    name = await server.create_database()
    await server.execute(
        f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}' CONNECTION LIMIT {_CONNECTIONS}",
        f"CREATE SCHEMA quality AUTHORIZATION {name}",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        f"REVOKE ALL ON DATABASE {name} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {name} TO {name}",
        "CREATE TABLE alembic_version AS SELECT 'ae1027a6acf' AS version_num",
        database=name,
    )
    url = server.url(name, user=name, options="-c search_path=quality")
    rows = await run_day(folder / f"restricted-{name}", url, url)
    kept = await server.execute(
        "SELECT version_num || count(*) OVER () FROM public.alembic_version", database=name
    )
    assert kept == "ae1027a6acf1", kept
    label = f"Postgres {server.version}, own schema, {_CONNECTIONS} connections"
    return [(f"{label}: {what}", figure) for what, figure in rows]


async def run_pooled_day(server: PostgresServer, folder: Path) -> list[Row]:
    """Run a day through pgbouncer that also migrates through it, and one that migrates directly."""
    pooled, direct = await server.create_database(), await server.create_database()
    async with start_pgbouncer(server, folder / f"bouncer-{pooled}", default_pool_size=4) as pooler:
        rows = await run_day(folder / pooled, pooler.url(pooled), pooler.url(pooled))
        copy = str(folder / pooled / "day.dump")
        refused = await run_app(folder / pooled, "backup", copy, DATABASE_URL=pooler.url(pooled))
        assert refused.code != 0 and "DATABASE_DIRECT_URL" in refused.err, refused.err
        rows.append(("backup", "refused, DATABASE_DIRECT_URL named"))
        narrow = pooler.url(direct, connection_limit=1, pool_timeout=20)
        directly = {"DATABASE_DIRECT_URL": server.url(direct)}
        rows_direct = await run_day(folder / direct, narrow, narrow, **directly)
        copied = await run_app(folder / direct, "backup", copy, DATABASE_URL=narrow, **directly)
        assert (copied.code, copied.err) == (0, ""), copied.err
        rows_direct.append(("backup", "done"))
    through = f"Postgres {server.version} through pgbouncer"
    return [
        *((f"{through}: {what}", figure) for what, figure in rows),
        *((f"{through}, DATABASE_DIRECT_URL: {what}", figure) for what, figure in rows_direct),
    ]
