"""How Alembic reaches the database: over the connection that the service hands it, or by ``DATABASE_URL`` from the command line."""

import asyncio

from alembic import context
from sqlalchemy import Connection

from app.config import load_settings
from app.database.engine import UNLIMITED, Database
from app.errors import SettingsError
from app.models import Base


def migrate(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=Base.metadata, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


async def migrate_from_settings() -> None:
    url = load_settings().database_url
    if url is None:
        raise SettingsError("DATABASE_URL: не задано; для встроенной базы служит команда `python -m app migrate`.")
    database = Database(url.get_secret_value(), limits=UNLIMITED)
    try:
        async with database.engine.connect() as connection:
            await connection.run_sync(migrate)
            await connection.commit()
    finally:
        await database.close()


handed = context.config.attributes.get("connection")
if handed is None:
    asyncio.run(migrate_from_settings())
else:
    migrate(handed)
