"""The chats of a world: written and deleted messages, the reference for the database."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

from app.sandbox.avito import LocalAvito
from app.sandbox.avito_state import AvitoChat, AvitoListing, SandboxBuyer
from tests.chaos.clocks import TrueClock
from tests.chaos.model_calls import ANSWER, QUESTION

Key = tuple[str, str]
"""Avito's ids of a chat and of a message in it."""

_NAMES = ("Анна", "Борис", "Вера", "Глеб", "Дарья", "Егор", None)
_QUESTIONS = (
    QUESTION + " {n}: здравствуйте, ещё продаётся?",
    QUESTION + " {n}: торг есть? Дорого у вас, у других дешевле.",
    QUESTION + " {n}: когда можно забрать?",
)
_ANSWERS = (
    ANSWER + " {n}: добрый день! Да, продаётся, могу показать сегодня с 18 до 20.",
    ANSWER + " {n}: нет",
    ANSWER + " {n}: договорились, жду вас в 19:00. Спасибо!",
)
_MOST_CHATS = 12
_RECENT = timedelta(minutes=45)
"""Sync rereads only the messages of the last hour, so it misses later deletions."""


@dataclass
class WrittenMessage:
    """A message as written.

    ``kept``: the database contained its text before it was deleted.
    """

    text: str
    deleted: bool = False
    kept: bool = False


class Dialogues:
    """Writes the chats of one account."""

    def __init__(self, avito: LocalAvito, truth: TrueClock, rng: random.Random) -> None:
        self.written: dict[Key, WrittenMessage] = {}
        self._avito = avito
        self._truth = truth
        self._rng = rng
        self._numbers = count(1)
        for _ in range(5):
            self.open_chat(minutes_ago=rng.randint(60, 600))

    @property
    def chats(self) -> dict[str, AvitoChat]:
        return self._avito.accounts[0].chats

    def open_chat(self, minutes_ago: float = 1) -> None:
        """Add a chat with a question; most get an answer."""
        number = next(self._numbers)
        at = self._truth() - timedelta(minutes=minutes_ago)
        chat = self._avito.add_chat(
            item=AvitoListing(8_000_000_000 + number, f"Диван {number}", "12 000 ₽"),
            client=SandboxBuyer(6_000_000_000 + number, self._rng.choice(_NAMES)),
            at=at,
        )
        self._write_message(chat.id, "client", minutes_ago)
        if self._rng.random() < 0.85:
            self._write_message(chat.id, "company", minutes_ago * 0.8)

    def add_news(self, minutes: float) -> None:
        """Write messages dated in the last minutes: in some chats, sometimes in a new one."""
        for chat_id in self._rng.sample(
            sorted(self.chats), k=min(len(self.chats), self._rng.randint(2, 3))
        ):
            spent = self._rng.uniform(1, minutes)
            self._write_message(chat_id, "client", spent)
            if self._rng.random() < 0.8:
                self._write_message(chat_id, "company", spent * self._rng.uniform(0.1, 0.9))
        if len(self.chats) < _MOST_CHATS and self._rng.random() < 0.35:
            self.open_chat(self._rng.uniform(1, minutes))

    def write_one(self) -> None:
        """Write one message now."""
        self._write_message(
            self._rng.choice(sorted(self.chats)), self._rng.choice(("client", "company")), 0
        )

    def list_recent(self) -> Iterator[Key]:
        """Yield the messages whose deletion sync would still notice."""
        since = (self._truth() - _RECENT).timestamp()
        for chat in self.chats.values():
            for message in chat.messages:
                if message.created > since and not self.written[chat.id, message.id].deleted:
                    yield chat.id, message.id

    def delete_message(self, key: Key, *, kept: bool) -> None:
        """Delete a message as its author can."""
        self._avito.delete_message(*key)
        self.written[key].deleted = True
        self.written[key].kept = kept

    def _write_message(self, chat_id: str, side: str, minutes_ago: float) -> None:
        number = next(self._numbers)
        text = self._rng.choice(_QUESTIONS if side == "client" else _ANSWERS).format(n=number)
        at = self._truth() - timedelta(minutes=minutes_ago)
        message = self._avito.add_message(
            chat_id, "client" if side == "client" else "company", text=text, at=at
        )
        self.written[chat_id, message.id] = WrittenMessage(text)
