"""Addresses of Postgres as operators and providers write them."""

import pytest

from app.database.address import parse_database_url
from app.errors import SettingsError


@pytest.mark.parametrize(
    "address",
    [
        "mysql://host/db",
        "postgresql://host:port/db",
        "postgresql://host:70000/db",
        "postgresql://host/db?fast=1",
    ],
)
def test_invalid_database_url(address: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL"):
        parse_database_url(address)


def test_database_url_of_a_provider_is_accepted() -> None:
    address = parse_database_url(
        "postgres://user:secret@host/db?sslmode=require&channel_binding=require&connect_timeout=10"
    )
    assert (address.drivername, dict(address.query)) == ("postgresql+asyncpg", {"ssl": "require"})
