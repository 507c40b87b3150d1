"""Whatever happens while pages are read, and wherever a sync is killed, the next quiet one makes the database equal to Avito."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.clients.avito import AvitoClient, AvitoCredentials
from app.clock import system_clock
from app.database.engine import Database
from app.models import Base
from app.sandbox.avito import LocalAvito
from app.services.runs import Progress
from app.services.sync import AvitoSource, sync_chats
from tests.stage import IMPATIENT

PAGE_CAP = 4
"""Small pages: what takes a thousand chats at Avito takes a dozen here."""


@dataclass(frozen=True)
class Event:
    """Something that happens at Avito after so many pages of a sync: a message, a chat, or a message taken back."""

    page: int
    kind: str
    chat: int
    message: int


@dataclass(frozen=True)
class Round:
    """A sync during which things happen, killed after so many pages, or not."""

    events: tuple[Event, ...]
    killed_at: int | None


EVENTS = st.builds(
    Event,
    page=st.integers(1, 25),
    kind=st.sampled_from(["message", "message", "chat", "delete"]),
    chat=st.integers(0, 30),
    message=st.integers(0, 30),
)
ROUNDS = st.lists(
    st.builds(Round, events=st.lists(EVENTS, max_size=6).map(tuple), killed_at=st.none() | st.integers(1, 25)), min_size=1, max_size=3
)
SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=12)


@dataclass
class World:
    """An Avito, a sync over it, and what is known to have been stored."""

    avito: LocalAvito
    database: Database
    source: AvitoSource
    said: dict[str, str] = field(default_factory=dict)
    stored: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    """Messages that were stored with their words before they were taken back."""

    def add_chat(self, messages: int, minutes_ago: float) -> None:
        chat = self.avito.add_chat(at=system_clock() - timedelta(minutes=minutes_ago + messages))
        for place in range(messages):
            self.say(chat.id, minutes_ago=minutes_ago + messages - place)

    def say(self, chat_id: str, minutes_ago: float = 0) -> None:
        words = f"сообщение {len(self.said)}"
        side = "client" if len(self.said) % 2 else "company"
        at = system_clock() - timedelta(minutes=minutes_ago)
        self.said[self.avito.add_message(chat_id, "client" if side == "client" else "company", text=words, at=at).id] = words

    def happen(self, event: Event) -> None:
        chats = list(self.avito.accounts[0].chats.values())
        chat = chats[event.chat % len(chats)]
        if event.kind == "message":
            self.say(chat.id)
        elif event.kind == "chat":
            self.add_chat(1, 0)
        else:
            young = [message for message in chat.messages if system_clock().timestamp() - message.created < 3000]
            if young:
                message = young[event.message % len(young)]
                self.avito.delete_message(chat.id, message.id)
                self.kept |= {message.id} & self.stored

    async def sync(self, events: tuple[Event, ...] = (), killed_at: int | None = None) -> None:
        coming = sorted(events, key=lambda event: event.page)
        pages = 0

        def after_page(_path: str, _offset: int) -> None:
            nonlocal pages
            pages += 1
            while coming and coming[0].page <= pages:
                self.happen(coming.pop(0))
            if pages == killed_at:
                task.cancel()

        self.avito.switches.after_page = after_page
        task = asyncio.create_task(sync_chats(self.database, [self.source], system_clock, Progress()))
        await asyncio.wait({task})
        if not task.cancelled():
            assert task.result().ok, task.result().message
        self.stored = {row[0] for row in await self.rows("SELECT avito_id FROM messages WHERE deleted_at IS NULL")}

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        async with self.database.session() as session:
            return [tuple(row) for row in await session.execute(text(sql))]

    async def assert_equal(self) -> None:
        at_avito = {
            (chat.id, message.id): message.type == "deleted" for chat in self.avito.accounts[0].chats.values() for message in chat.messages
        }
        here = await self.rows(
            "SELECT chat.avito_id, message.avito_id, message.deleted_at IS NOT NULL, text"
            " FROM messages message JOIN chats chat ON chat.id = chat_id"
        )
        assert {(chat, message): bool(deleted) for chat, message, deleted, _ in here} == at_avito
        for _, message, deleted, words in here:
            assert words == self.said[message] or (deleted and message not in self.kept and words == "[сообщение удалено]")
        assert await self.rows("SELECT avito_id FROM chats WHERE messages_due OR NOT history_complete") == []


async def empty(database: Database) -> None:
    tables = ", ".join(table.name for table in Base.metadata.sorted_tables)
    async with database.transaction() as session:
        await session.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))


def ages() -> Iterator[float]:
    """How old chats are, in minutes: some within the hour in which messages can be taken back, some far behind the watermark."""
    return (7.0 * number**2 for number in range(100))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(sizes=SIZES, rounds=ROUNDS)
async def test_the_next_quiet_sync_makes_the_database_equal_to_avito(database: Database, sizes: list[int], rounds: list[Round]) -> None:
    await empty(database)
    avito = LocalAvito()
    avito.switches.page_cap = PAGE_CAP
    account = avito.accounts[0]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(avito.app), base_url="http://avito") as http:
        credentials = AvitoCredentials(account.client_id, account.client_secret)
        client = AvitoClient(http, credentials, max_concurrency=3, requests_per_minute=0, retry=IMPATIENT, clock=system_clock)
        world = World(avito, database, AvitoSource(name=None, client_id=account.client_id, client=client, readers=3))
        for size, age in zip(sizes, ages(), strict=False):
            world.add_chat(size, age)
        for one in rounds:
            await world.sync(one.events, one.killed_at)
        await world.sync()
        await world.assert_equal()
