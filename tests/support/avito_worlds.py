"""An Avito with a chat of every kind, and its comparison with the database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from app.database.engine import Database
from app.models import Base
from app.sandbox.avito_contents import SYSTEM_PREFIX
from app.sandbox.avito_payloads import PLAN_PLACEHOLDER
from app.sandbox.avito_state import AvitoChat, AvitoListing, AvitoMessage, SandboxBuyer
from app.sandbox.avito_switches import AvitoSwitches
from tests.support.stage import GOOD_TALK, Stage

WORDS = {
    "image": "[фото]",
    "voice": "[голосовое сообщение]",
    "link": "[ссылка: {text}]",
    "item": "[объявление: {text}]",
    "location": "[геолокация: {text}]",
    "call": "[пропущенный звонок]",
    "file": "[файл]",
    "video": "[видео]",
    "deleted": "[сообщение удалено]",
    "appCall": "[звонок]",
    "sticker": "[неизвестный тип: sticker]",
}
"""What a person reads of a message of this type that has the given text at Avito."""


def furnish(stage: Stage) -> list[AvitoChat]:
    """A fresh talk, one that is long over, one with every type of message, one about nothing, one
    of Avito's own, one without anybody.
    """
    avito, now = stage.avito, stage.clock()
    fresh, over = (
        stage.add_talk(*GOOD_TALK, minutes_ago=3),
        stage.add_talk(*GOOD_TALK, minutes_ago=3000, client="Пётр"),
    )
    kinds = avito.add_chat(
        item=AvitoListing(8_200_000_001, "Стол"),
        client=SandboxBuyer(6_100_000_001, "Олег"),
        at=now - timedelta(hours=9),
    )
    for place, kind in enumerate(
        ("text", "system", *(kind for kind in WORDS if kind != "sticker"))
    ):
        side = "system" if kind == "system" else ("client", "company")[place % 2]
        avito.add_message(
            kinds.id,
            side,  # type: ignore[arg-type]
            type=kind,
            text="Да, есть",
            at=now - timedelta(hours=9) + timedelta(minutes=place),
        )
    avito.add_message(
        kinds.id,
        "client",
        type="sticker",
        content={"sticker": {"id": 7}},
        at=now - timedelta(hours=8),
    )
    pair = avito.add_chat(
        chat_type="u2u", client=SandboxBuyer(6_100_000_002, "Анна"), at=now - timedelta(hours=7)
    )
    for words in ("первое", "второе", "третье"):  # all of one second
        avito.add_message(pair.id, "client", text=words, at=now - timedelta(hours=7))
    notice = avito.add_chat(chat_type="a2u", at=now - timedelta(hours=6))
    avito.add_message(
        notice.id,
        "system",
        type="system",
        text="Ваш отзыв опубликован",
        at=now - timedelta(hours=6),
    )
    empty = avito.add_chat(item=AvitoListing(8_200_000_002, ""), at=now - timedelta(hours=5))
    return [fresh, over, kinds, pair, notice, empty]


def displayed_text(message: AvitoMessage) -> str:
    """Return the text of a message as people see it."""
    if message.type == "system":
        return f"{SYSTEM_PREFIX} {message.text}"
    return WORDS.get(message.type, "{text}").format(text=message.text)


async def assert_equal(stage: Stage) -> None:
    """Check that the database equals the first account.

    It has every chat and message with its side, in Avito's order, and no chat is unread.
    """
    there = {
        chat.id: [
            (message.id, displayed_text(message), message.side, message.created)
            for message in chat.messages
        ]
        for chat in stage.avito.accounts[0].chats.values()
    }
    here: dict[str, list[tuple[Any, ...]]] = {
        row["avito_id"]: [] for row in await stage.rows("SELECT avito_id FROM chats")
    }
    for row in await stage.rows(
        "SELECT chats.avito_id AS chat, messages.avito_id AS id, text, side, sent_at FROM messages"
        " JOIN chats ON chats.id = chat_id ORDER BY sent_at, side = 'system', messages.id"
    ):
        here[row["chat"]].append(
            (row["id"], row["text"], row["side"], int(row["sent_at"].timestamp()))
        )
    assert here == there
    assert (
        await stage.rows(
            "SELECT avito_id, read_error FROM chats WHERE messages_due OR NOT history_complete"
        )
        == []
    )
    await assert_manners(stage)


async def assert_manners(stage: Stage) -> None:
    """Check the rules of using Avito.

    No chat is marked as read, no request exceeds a limit, and no placeholder is stored as a
    text.
    """
    for request in stage.avito.requests:
        assert not request.path.endswith("/read"), request
        if request.path.startswith("/messenger"):
            limit, offset = (int(request.query.get(name, ["0"])[0]) for name in ("limit", "offset"))
            assert limit <= 100, request
            assert offset <= 1000, request
    assert (
        await stage.rows(
            "SELECT text FROM messages WHERE text LIKE :words", words=f"%{PLAN_PLACEHOLDER[:40]}%"
        )
        == []
    )


@asynccontextmanager
async def emptied(stage: Stage) -> AsyncIterator[Stage]:
    """Empty Avito, its switches and all tables before and after a test."""
    for account in stage.avito.accounts:
        account.chats.clear()
        account.listings.clear()
        account.webhooks.clear()
        account.employee = False
    for name, value in vars(AvitoSwitches()).items():
        setattr(stage.avito.switches, name, value)
    stage.sandbox.smtp.messages.clear()
    stage.avito.requests.clear()
    await empty(stage.service.database)
    try:
        yield stage
    finally:
        await empty(stage.service.database)


async def empty(database: Database) -> None:
    """Delete all rows of every table."""
    tables = ", ".join(table.name for table in Base.metadata.sorted_tables)
    async with database.transaction() as session:
        await session.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
