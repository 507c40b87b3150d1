"""Table locks of a migration, taken while processes of the release before keep working."""

from collections.abc import Sequence

import structlog
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

log = structlog.get_logger(__name__)

_TRY_MS = 700
"""Less than ``deadlock_timeout`` (1 second): the migration gives way, not the other process."""
_PAUSE_SECONDS = 1
_LOGGED_TRIES = 30
_GAVE_WAY = {"57014", "40P01"}
"""SQLSTATE of the end of the wait: by its timeout, or by a shorter ``deadlock_timeout``."""


def lock_tables(connection: Connection, *tables: str) -> None:
    """Lock all tables that a migration changes, before its first change.

    - A statement that waits for a table blocks all later ones that need it. Behind a backup or
      another long transaction the service would stop. Therefore the wait is short, and is repeated
      until it succeeds.
    - All locks are taken together. Otherwise the migration would hold one while it waits for the
      next, which a process of the release before may hold while it waits for the first.
    """
    tries = 0
    while not _try_lock(connection, tables):
        if tries % _LOGGED_TRIES == 0:
            log.warning("migration.waits_for_tables", tables=tables)
        tries += 1
        connection.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": _PAUSE_SECONDS})


def _try_lock(connection: Connection, tables: Sequence[str]) -> bool:
    try:
        with connection.begin_nested():
            connection.execute(text(f"SET LOCAL statement_timeout = {_TRY_MS}"))
            connection.execute(text(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE"))
            connection.execute(text("SET LOCAL statement_timeout = 0"))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) in _GAVE_WAY:
            return False
        raise
    return True
