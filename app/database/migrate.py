"""Migrate the schema under a lock, and read its revision."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from app.database.connection import UNLIMITED
from app.database.engine import Database
from app.errors import AppError, DatabaseDeniedError, DatabaseRefusedError

_ALEMBIC_INI = Path(__file__).parents[2] / "alembic.ini"

MIGRATION_LOCK = 5_318_008_201
"""Key of the advisory lock: arbitrary, but equal in all processes of the service."""


_FIRST_TABLES = frozenset({"chats", "deliveries", "digests"})
"""Tables of the first revision, which no later one removes."""


class SchemaTooNewError(AppError):
    """A newer version of the program has migrated the database."""


class ForeignSchemaError(AppError):
    """Another program keeps its revision where this program would keep its own."""


async def migrate(database: Database, revision: str = "head") -> None:
    """Run the migrations up to a revision, under an advisory lock shared by all replicas.

    Raises:
        SchemaTooNewError: the database's revision is unknown to this program.
        ForeignSchemaError: the tables belong to another program.
        DatabaseUnavailableError: Postgres became unavailable; nothing has been changed.
        DatabaseRefusedError: Postgres refuses a statement, for example for lack of rights on the
          schema of the tables.
    """
    with _name_refusal(database, "обновить"):
        await _migrate_under_lock(database, revision)


async def get_current_revision(database: Database) -> str | None:
    """Return the revision of the database's schema; None if it has no tables of the service.

    Raises:
        ForeignSchemaError: the tables belong to another program.
        DatabaseRefusedError: the role may not read them.
    """
    with _name_refusal(database, "прочитать"):
        async with database.session() as session:
            return await (await session.connection()).run_sync(_read_revision)


def get_head_revision() -> str | None:
    """Return the revision that this program requires."""
    return _load_scripts().get_current_head()


def is_known(revision: str) -> bool:
    """Return whether this program contains the revision; if not, it belongs to a newer program."""
    return revision in _list_revisions()


@cache
def _list_revisions() -> frozenset[str]:
    return frozenset(script.revision for script in _load_scripts().walk_revisions())


@contextmanager
def _name_refusal(database: Database, action: str) -> Iterator[None]:
    try:
        yield
    except (DBAPIError, DatabaseDeniedError) as error:
        reason = (
            error.reason
            if isinstance(error, DatabaseDeniedError)
            else str(error.orig).rpartition("'>: ")[2].partition("\n")[0]
        )
        raise DatabaseRefusedError(
            f"{database.name} не дал {action} схему базы ({reason})."
        ) from error


async def _migrate_under_lock(database: Database, revision: str) -> None:
    """Migrate in one transaction, which holds the lock.

    If the client is frozen or gone, Postgres ends the transaction and releases the lock.
    """
    async with database.with_limits(UNLIMITED).transaction() as session:
        await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        connection = await session.connection()
        current = await connection.run_sync(_read_revision)
        if current is not None and not is_known(current):
            raise SchemaTooNewError(
                f"Базу обновила более новая версия программы (схема {current}): обновите и эту."
            )
        if revision != "head" or current != get_head_revision():
            await connection.run_sync(_upgrade, revision)


def _upgrade(connection: Connection, revision: str) -> None:
    config = Config(_ALEMBIC_INI)
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _read_revision(connection: Connection) -> str | None:
    """Read the revision.

    Alembic's table has the same name in every program. Without the tables of this one, the revision
    is another program's.
    """
    revisions = MigrationContext.configure(connection).get_current_heads()
    if not revisions:
        return None
    if len(revisions) > 1 or not _FIRST_TABLES.issubset(inspect(connection).get_table_names()):
        raise ForeignSchemaError(
            f"База: в ней таблицы другой программы (alembic_version {', '.join(revisions)});"
            " укажите в адресе отдельную базу или схему: ?options=-csearch_path%3Dимя_схемы."
        )
    return revisions[0]


@cache
def _load_scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(Config(_ALEMBIC_INI))
