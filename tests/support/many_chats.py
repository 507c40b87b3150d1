"""Copies of the chats that a database has, with their messages and reports, for large mails."""

from sqlalchemy import text

from app.database.engine import Database
from app.models import Base, Chat, Message, Report


async def copy_chats(database: Database, copies: int) -> None:
    """Add this many copies of each chat, of its messages and reports, with the same times.

    No mail has carried the copied reports.
    """
    async with database.transaction() as session:
        for table, changed in (
            (Chat, _CHANGED_IN_CHATS),
            (Message, _CHANGED_IN_MESSAGES),
            (Report, _CHANGED_IN_REPORTS),
        ):
            await session.execute(text(_copy(table, changed)), {"copies": copies})
        for table in (Chat, Message, Report):
            name = table.__tablename__
            await session.execute(
                text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), max(id)) FROM {name}")  # noqa: S608
            )
        await session.execute(text("ANALYZE"))


_DISTANCE = 100_000
"""Between the ids of a row and of its next copy."""


def _copy_id(column: str) -> str:
    return f"old.{column} + n * {_DISTANCE}"


_CHANGED_IN_CHATS = {
    "id": _copy_id("id"),
    "avito_id": "old.avito_id || '-' || n",
    **{
        name: _copy_id(name)
        for name in ("last_person_message_id", "seen_message_id", "outcome_message_id")
    },
}
_CHANGED_IN_MESSAGES = {
    "id": _copy_id("id"),
    "chat_id": _copy_id("chat_id"),
    "avito_id": "old.avito_id || '-' || n",
}
_CHANGED_IN_REPORTS = {
    "id": _copy_id("id"),
    "chat_id": _copy_id("chat_id"),
    "digest_id": "NULL",
    "first_message_id": _copy_id("first_message_id"),
    "last_message_id": _copy_id("last_message_id"),
    "body": (
        "replace(replace(old.body::text, '\"id\":' || old.id || '}',"
        f" '\"id\":' || {_copy_id('id')} || '}}'),"
        " old.body->>'chat_id', (old.body->>'chat_id') || '-' || n)::json"
    ),
}


def _copy(table: type[Base], changed: dict[str, str]) -> str:
    columns = [column.name for column in table.__table__.columns if column.computed is None]
    values = ", ".join(changed.get(name, f"old.{name}") for name in columns)
    return (
        f"INSERT INTO {table.__tablename__} ({', '.join(columns)}) SELECT {values}"  # noqa: S608
        f" FROM {table.__tablename__} AS old, generate_series(1, CAST(:copies AS int)) AS n"
    )
