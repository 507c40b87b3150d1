"""The SQL of waits and leads selects what the rules of the domain select."""

from collections.abc import Callable
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from sqlalchemy import ColumnElement, select

from app.database.engine import Database
from app.domain.messages import Side
from app.domain.placeholders import COMPLETED_CALL, SYSTEM_PREFIX, Placeholder
from app.models import Message
from app.repositories.message_conditions import (
    begins_wait,
    ends_wait,
    is_assistant,
    is_bot,
    is_by_person,
    is_lead,
    read_call_status,
)
from app.repositories.messages import list_messages, list_words
from app.services.analysis.transcript import convert_messages
from tests.support.rows import NOON, add_account, add_chat

AUTHORS = (
    (Side.CLIENT, None),
    (Side.SYSTEM, None),
    *((Side.COMPANY, author) for author in (None, "person", "bot", "unknown")),
)
"""The stored sides with the kinds that they may have."""
CONTENTS: tuple[dict[str, Any] | None, ...] = (
    None,
    {},
    {"text": "Есть?"},
    {"call": "missed"},
    {"call": {"status": None}},
    {"call": {"status": 7}},
    {"appCall": {"status": "MISSED"}},
    *({"call": {"status": status}} for status in ("missed", "Missed", "busy", *COMPLETED_CALL)),
)


async def add_messages(database: Database, *rows: dict[str, Any]) -> int:
    """Add a chat with these messages and return its number."""
    async with database.transaction() as session:
        chat = await add_chat(session, await add_account(session))
        for number, row in enumerate(rows):
            sent_at = NOON + timedelta(minutes=number)
            values = {"type": "text", "text": "Есть?", "has_text": True, "content": None, **row}
            session.add(Message(chat_id=chat.id, avito_id=f"m{number}", sent_at=sent_at, **values))
    return chat.id


async def select_ids(database: Database, condition: ColumnElement[bool]) -> set[int]:
    async with database.session() as session:
        return set(await session.scalars(select(Message.id).where(condition)))


async def test_waits_are_the_same_in_sql_and_in_the_domain(database: Database) -> None:
    combinations = product(AUTHORS, ("text", "image", "deleted", "call", "appCall"), CONTENTS)
    rows = [
        {"side": side, "author_kind": author, "type": kind, "content": content}
        for (side, author), kind, content in combinations
    ]
    chat_id = await add_messages(database, *rows)
    async with database.session() as session:
        messages = convert_messages(await list_messages(session, chat_id))
        assert convert_messages((await list_words(session, [chat_id]))[chat_id]) == messages
        selected = select(Message.id, read_call_status())
        statuses = {row[0]: row[1] for row in await session.execute(selected)}
    begins = {message.id for message in messages if message.begins_wait}
    ends = {message.id for message in messages if message.ends_wait}
    assert await select_ids(database, is_bot()) == {
        message.id for message in messages if message.side is Side.BOT
    }
    assert await select_ids(database, is_by_person()) == {
        message.id for message in messages if message.is_by_person
    }
    assert await select_ids(database, begins_wait()) == begins
    assert await select_ids(database, ends_wait()) == ends
    assert begins
    assert ends
    assert not begins & ends
    calls = [message for message in messages if message.call_status is not None]
    assert all(statuses[message.id] == message.call_status for message in calls)


@pytest.mark.parametrize("side", [Side.CLIENT, Side.COMPANY, Side.SYSTEM])
@pytest.mark.parametrize(
    ("placeholder", "select_notices"),
    [(Placeholder.NOTHING_WRITTEN, is_lead), (Placeholder.ASSISTANT_ANSWERED, is_assistant)],
)
async def test_notice_is_of_avito(
    database: Database,
    side: Side,
    placeholder: Placeholder,
    select_notices: Callable[[], ColumnElement[bool]],
) -> None:
    notice = placeholder.value
    forms = (notice, f"{SYSTEM_PREFIX} {notice}.", f"{SYSTEM_PREFIX}  {notice.replace(' ', '  ')} ")
    others = (f"«{notice}»", Placeholder.DELETED.value, "Заказ оформлен")
    rows = [{"side": side, "text": text} for text in (*forms, *others)]
    await add_messages(database, *rows)
    found = len(await select_ids(database, select_notices()))
    assert found == (len(forms) if side is Side.SYSTEM else 0)
