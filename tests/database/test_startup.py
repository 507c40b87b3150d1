"""A start waits for a database that is not ready, and fails at once on a wrong setting."""

import asyncio
import re
import signal
from pathlib import Path

import pytest
from sqlalchemy import make_url

from app.adapters import open_database
from app.cli.process import ExitCode
from app.config import load_settings
from app.database.engine import Database
from app.database.migrate import get_current_revision, get_head_revision
from app.errors import DatabaseRefusedError, DatabaseUnavailableError
from app.sandbox.server import Sandbox
from tests.support.clusters import fetch_value, limit_connections
from tests.support.command_line import free_port, make_environment, run_app, start_app, stop
from tests.support.network import open_network


async def open_and_get_revision(url: str, patience_seconds: float | None = 0) -> str | None:
    settings = load_settings(_env_file=None, database_url=url)
    async with open_database(settings, patience_seconds=patience_seconds) as database:
        return await get_current_revision(database)


async def test_refusing_server_is_retried_until_it_accepts(postgres_url: str) -> None:
    async with open_network(postgres_url) as network:
        network.refusing = True
        start = asyncio.create_task(open_and_get_revision(network.url, None))
        while network.accepted < 2:  # noqa: ASYNC110 - more than one attempt
            await asyncio.sleep(0.05)
        network.heal()
        assert await start == get_head_revision()


async def test_server_without_connections_is_retried(cluster_url: str, postgres_url: str) -> None:
    name = make_url(postgres_url).database
    await fetch_value(cluster_url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    start = asyncio.create_task(open_and_get_revision(postgres_url, None))
    await asyncio.sleep(1)
    assert not start.done()
    await fetch_value(cluster_url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    assert await start == get_head_revision()


async def test_full_server_is_retried(cluster_url: str, postgres_url: str) -> None:
    async with limit_connections(cluster_url, postgres_url, 0) as url:
        start = asyncio.create_task(open_and_get_revision(url, None))
        await asyncio.sleep(1)
        assert not start.done()
        await fetch_value(cluster_url, "ALTER ROLE small CONNECTION LIMIT 1")
        assert await start == get_head_revision()


async def test_a_command_gives_up_with_the_reason(postgres_url: str) -> None:
    async with open_network(postgres_url) as network:
        network.refusing = True
        with pytest.raises(DatabaseUnavailableError, match="DATABASE_URL"):
            await open_and_get_revision(network.url, 1)
        assert network.accepted > 1


@pytest.mark.parametrize("wrong", ["password", "role", "database", "tls", "host"])
async def test_wrong_setting_ends_the_start_at_once(postgres_url: str, wrong: str) -> None:
    async with open_network(postgres_url) as network:
        url = make_url(network.url)
        address = {
            "password": url.set(password="canary"),
            "role": url.set(username="nobody_known"),
            "database": url.set(database="nowhere"),
            "tls": url.update_query_dict({"sslmode": "require"}),
            "host": url.set(host="a" * 70 + ".ru"),
        }[wrong]
        with pytest.raises(DatabaseRefusedError, match="DATABASE_URL") as caught:
            await open_and_get_revision(address.render_as_string(hide_password=False), None)
        assert "canary" not in caught.value.message
        assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("sslmod=require", "возможно, нужен sslmode"),
        ("sslmode=canary", "«sslmode»: нужно одно из значений"),
        ("target_session_attrs=canary", "«target_session_attrs»: нужно одно из значений"),
        ("sslmode=verify-full&sslrootcert=/none", "sslrootcert: файла /none нет"),
    ],
)
async def test_wrong_parameter_ends_the_start_and_doctor(
    tmp_path: Path, postgres_url: str, query: str, fault: str
) -> None:
    async with Sandbox() as sandbox, open_network(postgres_url) as network:
        settings = make_environment(
            sandbox, PORT=free_port(), DATABASE_URL=f"{network.url}?{query}"
        )
        served = await run_app(tmp_path, "serve", **settings)
        doctor = await run_app(tmp_path, "doctor", **settings)
    assert served.code == ExitCode.MISUSED
    assert re.search(rf"\A.*DATABASE_URL: .*{fault}.*\n\Z", served.err)
    assert [line for line in doctor.lines if line.startswith("✗ DATABASE_URL: ") and fault in line]
    assert "canary" not in served.err + doctor.out


async def test_schema_without_write_access_ends_the_start_at_once(
    cluster_url: str, postgres_url: str
) -> None:
    await fetch_value(cluster_url, "CREATE ROLE reader LOGIN PASSWORD 'reader'")
    try:
        url = (
            make_url(postgres_url)
            .set(username="reader", password="reader")
            .render_as_string(hide_password=False)
        )
        with pytest.raises(DatabaseRefusedError, match="permission denied"):
            await open_and_get_revision(url, None)
    finally:
        await fetch_value(cluster_url, "DROP ROLE reader")


async def test_serve_reports_that_it_waits_and_can_be_stopped(
    tmp_path: Path, postgres_url: str
) -> None:
    async with Sandbox() as sandbox, open_network(postgres_url) as network:
        network.refusing = True
        settings = make_environment(sandbox, PORT=free_port(), DATABASE_URL=network.url)
        async with start_app(tmp_path, "serve", **settings) as process:
            read_line = (await process.stderr.readline()).decode()
            ended = await stop(process, signal.SIGTERM)
    assert "DATABASE_URL: Postgres недоступен" in read_line
    assert ended.code == 0
    assert ended.out == ""
    assert "Traceback" not in ended.err


async def test_serve_begins_as_soon_as_the_database_is_there(
    tmp_path: Path, postgres_url: str
) -> None:
    async with Sandbox() as sandbox, open_network(postgres_url) as network:
        network.blackhole()
        port = free_port()
        async with start_app(
            tmp_path, "serve", **make_environment(sandbox, PORT=port, DATABASE_URL=network.url)
        ) as process:
            assert "DATABASE_URL" in (await process.stderr.readline()).decode()
            network.heal()
            assert port in (await process.stdout.readline()).decode()
            ended = await stop(process, signal.SIGTERM)
    assert ended.code == 0
    database = Database(postgres_url)
    assert await get_current_revision(database) == get_head_revision()
    await database.close()
