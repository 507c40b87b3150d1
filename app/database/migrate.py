"""Brings the schema up to date, by one process at a time, and tells which revision it has."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from app.database.engine import UNLIMITED, Database
from app.errors import AppError, DatabaseRefusedError

_ALEMBIC_INI = Path(__file__).parents[2] / "alembic.ini"

# Any number will do; all our processes must agree on it.
_LOCK = 5_318_008_201


class SchemaTooNewError(AppError):
    """A newer version of the program has migrated the database."""


async def migrate(database: Database, revision: str = "head") -> None:
    """Runs the migrations up to a revision, under an advisory lock that the other replicas wait
    for.

    Raises:
        SchemaTooNewError: the database's revision is none of ours.
        DatabaseUnavailableError: Postgres went away; nothing has been changed.
        DatabaseRefusedError: Postgres refuses, as it does where the tables' schema is not ours to
          write in.
    """
    try:
        await _migrate_alone(database, revision)
    except DBAPIError as error:
        reason = str(error.orig).rpartition("'>: ")[2].partition("\n")[0]
        raise DatabaseRefusedError(
            f"{database.name} не дал обновить схему базы ({reason})."
        ) from error


async def current_revision(database: Database) -> str | None:
    """The revision of the database's schema; None: it has no tables of ours."""
    async with database.session() as session:
        return await (await session.connection()).run_sync(_revision)


def head_revision() -> str | None:
    """The revision that the program works with."""
    return _scripts().get_current_head()


def is_known(revision: str) -> bool:
    """Whether it is one of ours; another is a newer program's."""
    return revision in _known_revisions()


@cache
def _known_revisions() -> frozenset[str]:
    return frozenset(script.revision for script in _scripts().walk_revisions())


async def _migrate_alone(database: Database, revision: str) -> None:
    """Migrates in one transaction, which holds the lock: Postgres ends it, and so the lock, when
    its client is frozen or gone.
    """
    async with database.with_limits(UNLIMITED).transaction() as session:
        await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        connection = await session.connection()
        present = await connection.run_sync(_revision)
        if present is not None and not is_known(present):
            raise SchemaTooNewError(
                f"Базу обновила более новая версия программы (схема {present}): обновите и эту."
            )
        if revision != "head" or present != head_revision():
            await connection.run_sync(_upgrade, revision)


def _upgrade(connection: Connection, revision: str) -> None:
    config = Config(_ALEMBIC_INI)
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(Config(_ALEMBIC_INI))
