"""Brings the schema up to date, by one process at a time."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from app.database.engine import Database

_ALEMBIC_INI = Path(__file__).parents[2] / "alembic.ini"

# Any number will do; all our processes must agree on it.
_LOCK = 5_318_008_201


async def migrate(database: Database, revision: str = "head") -> None:
    """Runs the migrations up to a revision, under an advisory lock that the other replicas wait for."""
    async with database.engine.connect() as connection:
        await connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        await connection.commit()
        try:
            await connection.run_sync(_upgrade, revision)
            await connection.commit()
        finally:
            await connection.rollback()
            await connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})
            await connection.commit()


def _upgrade(connection: Connection, revision: str) -> None:
    config = Config(_ALEMBIC_INI)
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
