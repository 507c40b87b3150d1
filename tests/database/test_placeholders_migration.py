"""Migration 0014: stored placeholders, leads, and waits in chats with calls."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from sqlalchemy import text

from app.database.engine import Database
from app.database.migrate import migrate

LEAD = "[Системное сообщение] Пользователь создал чат, но пока ничего не написал"
UNSUPPORTED = "Сообщение не поддерживается. Пожалуйста, перейдите в Авито мессенджер."
QUOTED = "У меня написано «Сообщение удалено»"
OLD, NEW = "2026-11-22 10:00:00+00", "2026-11-22 12:00:00+00"
COMPLETED, MISSED = {"call": {"status": "completed"}}, {"call": {"status": "missed"}}


@pytest_asyncio.fixture
async def before(postgres_url: str) -> AsyncIterator[Database]:
    """A database of the release before, with one account."""
    database = Database(postgres_url)
    await migrate(database, "0013")
    await change(
        database, "INSERT INTO accounts (avito_user_id, client_id, name) VALUES (1, 'id', 'Лавка')"
    )
    yield database
    await database.close()


async def change(database: Database, sql: str, **values: Any) -> None:
    async with database.transaction() as session:
        await session.execute(text(sql), values)


async def read(database: Database, sql: str) -> list[tuple[Any, ...]]:
    async with database.session() as session:
        return [tuple(row) for row in await session.execute(text(sql))]


async def add_chat(database: Database, name: str, *rows: tuple[Any, ...], **values: str) -> None:
    """Add a chat with messages (side, type, text, content, time); ``values`` are columns."""
    await change(
        database,
        "INSERT INTO chats (account_id, avito_id) SELECT id, :name FROM accounts",
        name=name,
    )
    for number, (side, kind, words, content, sent_at) in enumerate(rows):
        await change(
            database,
            "INSERT INTO messages (chat_id, avito_id, side, type, text, has_text, content, sent_at)"
            " SELECT id, :number, :side, :kind, :words, :has_text, CAST(:content AS jsonb),"
            " CAST(CAST(:sent_at AS text) AS timestamptz) FROM chats WHERE avito_id = :name",
            name=name,
            number=str(number),
            side=side,
            kind=kind,
            words=words,
            has_text=kind == "text",
            content=json.dumps(content),
            sent_at=sent_at,
        )
    for column, value in values.items():
        await change(
            database,
            f"UPDATE chats SET {column} = {value} WHERE avito_id = :name",  # noqa: S608
            name=name,
        )


async def test_stored_placeholders_become_messages_without_text(before: Database) -> None:
    words = ("Сообщение удалено", UNSUPPORTED, QUOTED)
    rows = [("client", "text", line, {"text": line}, OLD) for line in words]
    await add_chat(before, "u2i-1", *rows)
    await migrate(before)
    assert await read(
        before, "SELECT type, text, has_text, deleted_at IS NULL FROM messages ORDER BY id"
    ) == [
        ("deleted", "[сообщение удалено]", False, False),
        ("unsupported", "[сообщение видно только в мессенджере Авито]", False, True),
        ("text", QUOTED, True, True),
    ]


async def test_lead_becomes_due_unless_somebody_has_written(before: Database) -> None:
    notice = ("system", "text", LEAD, {"text": LEAD}, OLD)
    await add_chat(before, "lead", notice)
    await add_chat(
        before, "written", notice, ("client", "text", "Есть?", {}, NEW), last_person_message_id="3"
    )
    await add_chat(before, "other", ("system", "system", "Заказ оформлен", {}, OLD))
    await migrate(before)
    found = "SELECT lead_message_id IS NOT NULL, due_since IS NOT NULL FROM chats ORDER BY id"
    assert await read(before, found) == [(True, True), (False, False), (False, False)]


async def test_waits_in_chats_with_calls_are_computed_again(before: Database) -> None:
    question: tuple[Any, ...] = ("client", "text", "Есть?", {}, OLD)
    waiting = {"unanswered_since": f"'{OLD}'"}
    await add_chat(before, "1", question, ("company", "call", "[звонок]", MISSED, NEW))
    await add_chat(before, "2", question, ("client", "call", "[звонок]", COMPLETED, NEW), **waiting)
    await add_chat(before, "3", question, ("company", "appCall", "[звонок]", {}, NEW))
    await add_chat(before, "4", ("client", "call", "[звонок]", MISSED, NEW))
    await add_chat(before, "5", ("client", "call", "[звонок]", {}, OLD), **waiting)
    await add_chat(before, "6", ("client", "text", "Есть?", {}, NEW), **waiting)
    await migrate(before)
    found = (
        f"SELECT CASE unanswered_since WHEN '{OLD}' THEN 'old' WHEN '{NEW}' THEN 'new' END"  # noqa: S608
        " FROM chats ORDER BY id"
    )
    assert [row[0] for row in await read(before, found)] == ["old", None, "old", "new", None, "old"]
