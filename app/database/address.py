"""The address of Postgres, from the spellings of providers to that of asyncpg."""

from sqlalchemy import make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from app.errors import SettingsError

_OPTIONS = frozenset({"host", "port", "ssl", "target_session_attrs", "passfile"})
"""Options accepted after the ``?`` of an address."""
_IGNORED_OPTIONS = frozenset(
    {"channel_binding", "connect_timeout", "application_name", "gssencmode"}
)
"""Options that providers print for libpq and asyncpg does not support; they are ignored."""


def parse_database_url(url: str) -> URL:
    """Convert any usual spelling of a Postgres address into one for asyncpg.

    Raises:
        SettingsError: the address is not valid.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # ValueError: the port is not a number
        parsed = None
    if (
        parsed is None
        or parsed.get_backend_name() not in {"postgresql", "postgres"}
        or not 0 < (parsed.port or 5432) < 65536
    ):
        raise SettingsError(
            "DATABASE_URL: нужен адрес вида postgresql://имя:пароль@хост:5432/база."
        )
    # Providers print libpq's name of the option; asyncpg uses another name for it.
    query = {
        ("ssl" if name == "sslmode" else name): value
        for name, value in parsed.query.items()
        if name not in _IGNORED_OPTIONS
    }
    if unknown := sorted(query.keys() - _OPTIONS):
        raise SettingsError(
            f"DATABASE_URL: параметр «{unknown[0]}» не поддерживается, уберите его из адреса."
        )
    return parsed.set(drivername="postgresql+asyncpg", query=query)
