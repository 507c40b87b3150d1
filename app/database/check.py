"""Check that the service can use the database it is connected to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.exc import DBAPIError

from app.database.engine import Database
from app.database.failures import describe_wrong_setting
from app.errors import DatabaseDeniedError, DatabaseRefusedError, DatabaseUnavailableError

_SLOT_SECONDS = 6.0
_QUERY = text(
    """
    SELECT current_setting('server_version') AS version,
           current_setting('server_encoding') AS encoding,
           current_setting('transaction_read_only')::bool AS is_read_only,
           current_database() AS name,
           current_schema() AS schema,
           pg_postmaster_start_time() AS started_at
    """
)


@dataclass(frozen=True)
class ServerIdentity:
    """What two connections to the same schema of the same server have in common."""

    name: str
    schema: str
    started_at: datetime


@dataclass(frozen=True)
class ServerCheck:
    """The server's version and identity."""

    version: str
    identity: ServerIdentity


async def check_server(database: Database) -> ServerCheck:
    """Check that the server answers and that the database can be written in UTF-8.

    Raises:
        DatabaseUnavailableError: the server does not answer or only reads. The message names the
          setting.
        DatabaseRefusedError: the server refuses the connection, a setting of the address is wrong,
          the encoding is not UTF-8, or there is no schema for the tables.
    """
    row = await _query(database)
    if row.encoding != "UTF8":
        raise DatabaseRefusedError(
            f"{database.name}: кодировка базы {row.encoding}, а нужна UTF8; создайте базу с"
            " ENCODING 'UTF8'."
        )
    if row.schema is None:
        raise DatabaseRefusedError(
            f"{database.name}: схем из search_path нет, или роль не имеет к ним доступа; создайте"
            " схему (CREATE SCHEMA … AUTHORIZATION …) или исправьте options адреса."
        )
    if row.is_read_only:
        raise DatabaseUnavailableError(
            f"{database.name} недоступен (база открыта только для чтения); укажите в адресе"
            " основной сервер, а не реплику."
        )
    return ServerCheck(row.version, ServerIdentity(row.name, row.schema, row.started_at))


async def _query(database: Database) -> Row[Any]:
    try:
        async with database.with_limits(slot_seconds=_SLOT_SECONDS).session() as session:
            return (await session.execute(_QUERY)).one()
    except (DBAPIError, DatabaseDeniedError) as error:  # the query itself needs no right
        if reason := describe_wrong_setting(error):
            raise DatabaseRefusedError(f"{database.name}: {reason}.") from None
        raise
