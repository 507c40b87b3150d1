"""Client programs of Postgres connect with the address of the service."""

import asyncio
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import make_url

from app.database.address import parse_address
from app.database.client_environment import build_client_environment
from app.database.cluster import find_programs
from tests.support.clusters import fetch_value
from tests.support.command_line import free_port
from tests.support.network import open_network

PSQL = find_programs() / "psql"


def ask(url: str, sql: str) -> str:
    """Return what psql prints for a query."""
    done = subprocess.run(  # noqa: S603 - our own program and arguments
        [PSQL, "-AtXc", sql],
        env=build_client_environment(parse_address(url)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_socket_password_and_options(postgres_url: str) -> None:
    options = "options=-csearch_path%3Da%2C%22b%5C%20c%22%20--work_mem%3D5MB"
    shown = "SELECT current_setting('search_path'), current_setting('work_mem'), current_database()"
    name = make_url(postgres_url).database
    assert ask(f"{postgres_url}&{options}", shown) == f'a,"b c"|5MB|{name}'


async def test_any_password_and_several_hosts(cluster_url: str, postgres_url: str) -> None:
    await fetch_value(cluster_url, "CREATE ROLE odd LOGIN PASSWORD 'p@ss/w:rd ё'")
    name = make_url(postgres_url).database
    try:
        async with open_network(postgres_url) as network:
            hosts = f"127.0.0.1:{free_port()},127.0.0.1:{make_url(network.url).port}"
            url = f"postgresql://odd:p%40ss%2Fw%3Ard%20%D1%91@{hosts}/{name}?sslmode=disable"

            assert await asyncio.to_thread(ask, url, "SELECT current_user") == "odd"
    finally:
        await fetch_value(cluster_url, "DROP ROLE odd")


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("sslmode=require", {"PGSSLMODE": "require"}),
        ("sslrootcert=/ca&sslmode=verify-ca", {"PGSSLROOTCERT": "/ca", "PGSSLMODE": "verify-ca"}),
        ("sslrootcert=system", {"PGSSLROOTCERT": "system"}),
        ("sslnegotiation=direct", {"PGSSLNEGOTIATION": "direct"}),
        ("target_session_attrs=primary", {"PGTARGETSESSIONATTRS": "primary"}),
        ("connect_timeout=3", {"PGCONNECT_TIMEOUT": "3"}),
        ("options=endpoint%3Dx", {"PGOPTIONS": "endpoint=x"}),
        ("passfile=/p", {"PGPASSFILE": "/p"}),
    ],
)
def test_variables(query: str, variables: dict[str, str]) -> None:
    found = build_client_environment(parse_address(f"postgresql://u@[::1]:6432/d?{query}"))
    assert found == {
        "PGHOST": "::1",
        "PGPORT": "6432",
        "PGUSER": "u",
        "PGDATABASE": "d",
        "PGTARGETSESSIONATTRS": "any",
        **variables,
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sslmode=verify-full", "/setting"),
        ("sslmode=verify-full&sslrootcert=/own", "/own"),
        ("sslmode=require", None),
    ],
)
def test_certificates_of_the_setting(query: str, expected: str | None) -> None:
    address = parse_address(f"postgresql://host/db?{query}")
    found = build_client_environment(address, ca_file=Path("/setting"))
    assert found.get("PGSSLROOTCERT") == expected
