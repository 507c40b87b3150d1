"""How Alembic reaches the database: over the connection that the service hands it, or from the
command line by ``DATABASE_DIRECT_URL`` or ``DATABASE_URL``; if neither is set, the embedded
Postgres under ``DATA_DIR``.
"""

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack

from alembic import context
from alembic.migration import MigrationContext
from alembic.operations import MigrationScript
from sqlalchemy import Connection

from app.config import load_settings
from app.database.check import check_server
from app.database.connection import UNLIMITED
from app.database.embedded import embedded_postgres
from app.database.engine import Database
from app.models import Base


def number_revision(
    _context: MigrationContext, _revision: object, scripts: Iterable[MigrationScript]
) -> None:
    """Number a new revision after the newest one, in four digits: 0007 is followed by 0008."""
    newest = context.script.get_current_head() or "0"
    for script in scripts:
        script.rev_id = f"{int(newest) + 1:04d}"


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        transaction_per_migration=True,
        process_revision_directives=number_revision,
    )
    with context.begin_transaction():
        context.run_migrations()


async def migrate_from_settings() -> None:
    settings = load_settings()
    async with AsyncExitStack() as stack:
        if address := settings.database_direct_url or settings.database_url:
            url = address.get_secret_value()
        else:
            url = await stack.enter_async_context(embedded_postgres(settings.data_dir))
        database = Database(url, limits=UNLIMITED, ca_file=settings.ca_file)
        stack.push_async_callback(database.close)
        await check_server(database)
        async with database.engine.connect() as connection:
            await connection.run_sync(migrate)
            await connection.commit()


handed = context.config.attributes.get("connection")
if handed is None:
    asyncio.run(migrate_from_settings())
else:
    migrate(handed)
