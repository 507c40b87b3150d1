"""An account that changes during syncs, some of which are killed.

It defines what the next undisturbed sync must store.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from hypothesis import strategies as st
from sqlalchemy import text

from app.clients.avito import AvitoClient, AvitoCredentials
from app.clock import system_clock
from app.database.engine import Database
from app.sandbox.avito import LocalAvito
from app.sandbox.avito_state import numbered_account
from app.services.runs import Progress
from app.services.sync.authors import AuthorRules
from app.services.sync.syncer import AvitoSource, sync_chats
from tests.support.stage import IMPATIENT

PAGE_CAP = 5
"""Small pages: what takes a thousand chats at Avito takes a dozen here."""


@dataclass(frozen=True)
class Event:
    """A change at Avito after a number of pages of a sync.

    A message or chat is added, deleted or vanishes.
    """

    page: int
    kind: str
    chat: int
    message: int


@dataclass(frozen=True)
class Round:
    """A sync with events, killed after a number of pages or not."""

    events: tuple[Event, ...]
    killed_at: int | None


EVENTS = st.builds(
    Event,
    page=st.integers(1, 12),
    kind=st.sampled_from(["message", "message", "chat", "delete", "vanish", "leave"]),
    chat=st.integers(0, 30),
    message=st.integers(0, 30),
)
ROUNDS = st.lists(
    st.builds(
        Round,
        events=st.lists(EVENTS, min_size=1, max_size=8).map(tuple),
        killed_at=st.none() | st.integers(1, 15),
    ),
    min_size=1,
    max_size=3,
)
SIZES = st.lists(st.integers(1, 9), min_size=3, max_size=12)

_CHATS = """
    SELECT avito_id, messages_due, history_complete
    FROM chats JOIN accounts ON accounts.id = account_id WHERE avito_user_id = :user
"""
_MESSAGES = """
    SELECT chats.avito_id, messages.avito_id, deleted_at IS NOT NULL, text
    FROM messages JOIN chats ON chats.id = chat_id JOIN accounts ON accounts.id = account_id
    WHERE avito_user_id = :user
"""
_numbers = count(1)


@dataclass
class World:
    """An Avito, its sync, and the messages that must be stored."""

    avito: LocalAvito
    database: Database
    source: AvitoSource
    happened: Counter[str]
    said: dict[str, str] = field(default_factory=dict)
    stored: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    """Messages that were stored with their words before they were taken back."""
    vanished: set[str] = field(default_factory=set)
    """Messages that Avito no longer shows: what of them was stored stays."""

    def add_chat(self, messages: int, minutes_ago: float) -> None:
        chat = self.avito.add_chat(at=system_clock() - timedelta(minutes=minutes_ago + messages))
        for place in range(messages):
            self.say(chat.id, minutes_ago=minutes_ago + messages - place)

    def say(self, chat_id: str, minutes_ago: float = 0) -> None:
        words = f"сообщение {len(self.said)}"
        side = "client" if len(self.said) % 2 else "company"
        at = system_clock() - timedelta(minutes=minutes_ago)
        self.said[
            self.avito.add_message(
                chat_id, "client" if side == "client" else "company", text=words, at=at
            ).id
        ] = words

    def happen(self, event: Event) -> None:
        chats = list(self.avito.accounts[0].chats.values())
        if event.kind == "chat" or not chats:
            self.add_chat(1, 0)
            self.happened["chat"] += 1
            return
        chat = chats[event.chat % len(chats)]
        young = [
            message
            for message in chat.messages
            if system_clock().timestamp() - message.created < 3000
        ]
        if event.kind == "message":
            self.say(chat.id)
        elif event.kind == "leave":
            self.avito.remove_chat(chat.id)
            self.vanished |= {message.id for message in chat.messages}
        elif not young:
            return
        else:
            message = young[event.message % len(young)]
            if event.kind == "delete":
                self.avito.delete_message(chat.id, message.id)
                self.kept |= {message.id} & self.stored
            elif (
                message is not chat.messages[-1]
            ):  # otherwise only the daily full list finds the chat
                self.avito.remove_message(chat.id, message.id)
                self.vanished.add(message.id)
            else:
                return
        self.happened[event.kind] += 1

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
        task = asyncio.create_task(
            sync_chats(
                self.database, [self.source], system_clock, Progress(), AuthorRules(ZoneInfo("UTC"))
            )
        )
        await asyncio.wait({task})
        self.happened["kill" if task.cancelled() else "sync"] += 1
        if not task.cancelled():
            assert task.result().ok, task.result().message
        self.stored = {
            message for _, message, deleted, _ in await self.rows(_MESSAGES) if not deleted
        }

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What stands in the tables of this account."""
        async with self.database.session() as session:
            return [
                tuple(row)
                for row in await session.execute(
                    text(sql), {"user": self.avito.accounts[0].user_id}
                )
            ]

    async def assert_equal(self) -> None:
        at_avito = {
            (chat.id, message.id): message.type == "deleted"
            for chat in self.avito.accounts[0].chats.values()
            for message in chat.messages
        }
        here = await self.rows(_MESSAGES)
        shown = {
            (chat, message): bool(deleted)
            for chat, message, deleted, _ in here
            if message not in self.vanished
        }
        assert shown == at_avito
        for _, message, deleted, words in here:
            assert words == self.said[message] or (
                deleted and message not in self.kept and words == "[сообщение удалено]"
            )
        chats = await self.rows(_CHATS)
        assert {chat for chat, due, complete in chats if complete and not due} >= set(
            self.avito.accounts[0].chats
        )
        assert not [chat for chat, due, _ in chats if due]


def _ages() -> Iterator[float]:
    """Return ages of chats in minutes.

    Some are within the hour in which messages can be deleted, others far before the watermark.
    """
    return (7.0 * number**2 for number in range(100))


async def sync_through(
    database: Database, sizes: list[int], rounds: list[Round], happened: Counter[str]
) -> None:
    """Sync a new account with chats of these sizes through the rounds, then undisturbed.

    Check that nothing is missing.
    """
    avito = LocalAvito([numbered_account(next(_numbers))])
    avito.switches.page_cap = PAGE_CAP
    account = avito.accounts[0]
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(avito.app), base_url="http://avito"
    ) as http:
        credentials = AvitoCredentials(account.client_id, account.client_secret)
        client = AvitoClient(
            http,
            credentials,
            max_concurrency=3,
            requests_per_minute=0,
            retry=IMPATIENT,
            clock=system_clock,
        )
        world = World(
            avito,
            database,
            AvitoSource(name=None, client_id=account.client_id, client=client, readers=3),
            happened,
        )
        for size, age in zip(sizes, _ages(), strict=False):
            world.add_chat(size, age)
        for one in rounds:
            await world.sync(one.events, one.killed_at)
        await world.sync()
        await world.assert_equal()
