"""Wait for the database at the start of a command.

It retries while the database is not ready, and fails at once if the database refuses the service.
"""

import asyncio
import time

import structlog

from app.database.check import ServerCheck, check_server
from app.database.engine import Database
from app.database.migrate import migrate
from app.errors import DatabaseRefusedError, DatabaseUnavailableError

log = structlog.get_logger(__name__)

PATIENCE_SECONDS = 30.0
"""Timeout of an interactive command. The service itself retries until it is stopped."""
_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 5.0


async def prepare(
    database: Database,
    *,
    migrated: bool,
    patience_seconds: float | None,
    direct: Database | None = None,
) -> None:
    """Check that the database is usable, and migrate it if requested.

    Retry with back-off while the database is unavailable. If ``patience_seconds`` is None, retry
    until cancelled.

    ``direct``: the same database without the pooler, for the migrations.

    Raises:
        DatabaseRefusedError: a setting is wrong, here or on the server.
        DatabaseUnavailableError: the database has been unavailable for too long.
        SchemaTooNewError: a newer version of the program has migrated the database.
        ForeignSchemaError: the tables belong to another program.
    """
    give_up_at = None if patience_seconds is None else time.monotonic() + patience_seconds
    pause = _PAUSE_SECONDS
    while True:
        try:
            await _prepare_once(database, direct or database, migrated=migrated)
        except DatabaseRefusedError:
            raise
        except DatabaseUnavailableError as error:
            if give_up_at is not None and time.monotonic() + pause > give_up_at:
                raise
            log.warning("database.awaited", error=error.message, retry_seconds=pause)
        else:
            return
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


async def _prepare_once(database: Database, direct: Database, *, migrated: bool) -> None:
    found = await check_server(database)
    if direct is not database:
        _require_same(database, found, direct, await check_server(direct))
    if migrated:
        await migrate(direct)


def _require_same(
    database: Database, found: ServerCheck, direct: Database, direct_found: ServerCheck
) -> None:
    """Check that both addresses lead to the same schema of the same server.

    Raises:
        DatabaseRefusedError: they do not; the migrations would change another database.
    """
    if found.identity != direct_found.identity:
        raise DatabaseRefusedError(
            f"{direct.name}: это другая база, сервер или схема, чем у {database.name}; адреса"
            " должны вести в одно место."
        )
