"""Wait for the database at the start of a command.

It retries while the database is not ready, and fails at once if the database refuses the service.
"""

import asyncio
import time

import structlog

from app.database.check import check_server
from app.database.engine import Database
from app.database.migrate import migrate
from app.errors import DatabaseRefusedError, DatabaseUnavailableError

log = structlog.get_logger(__name__)

PATIENCE_SECONDS = 30.0
"""Timeout of an interactive command. The service itself retries until it is stopped."""
_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 5.0


async def prepare(database: Database, *, migrated: bool, patience_seconds: float | None) -> None:
    """Check that the database is usable, and migrate it if requested.

    Retry with back-off while the database is unavailable. If ``patience_seconds`` is None, retry
    until cancelled.

    Raises:
        DatabaseRefusedError: a setting is wrong, here or on the server.
        DatabaseUnavailableError: the database has been unavailable for too long.
        SchemaTooNewError: a newer version of the program has migrated the database.
    """
    give_up_at = None if patience_seconds is None else time.monotonic() + patience_seconds
    pause = _PAUSE_SECONDS
    while True:
        try:
            await check_server(database)
            if migrated:
                await migrate(database)
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
