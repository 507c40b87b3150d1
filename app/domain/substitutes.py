"""Who answers a buyer in place of a person of the company: the company's bot, Avito's assistant."""

from collections.abc import Sequence
from enum import StrEnum

from app.domain.messages import ChatMessage, Side
from app.domain.placeholders import Placeholder, find_placeholder


class Substitute(StrEnum):
    """An author whose answer does not end the buyer's wait."""

    BOT = "bot"
    ASSISTANT = "assistant"

    @property
    def label(self) -> str:
        """What it has done, in Russian."""
        return {Substitute.BOT: "ответил автоответчик", Substitute.ASSISTANT: "ответил ассистент"}[
            self
        ]


def find_substitute(messages: Sequence[ChatMessage]) -> Substitute | None:
    """Return who has answered the buyer's messages that wait for a person; a bot before all.

    None: no one has, or the buyer does not wait. ``messages`` are sorted, oldest first, with system
    messages. The SQL of the same rule: ``app.repositories.coverage``.
    """
    waits, found = False, set[Substitute]()
    for message in messages:
        if message.begins_wait:
            waits = True
        elif message.ends_wait:
            waits = False
            found.clear()
        elif waits and (substitute := _read_substitute(message)):
            found.add(substitute)
    return min(found, key=list(Substitute).index, default=None)


def is_bot_first(messages: Sequence[ChatMessage]) -> bool:
    """Return whether a bot was the first to answer the buyer's first wait."""
    waits = False
    for message in messages:
        if message.begins_wait:
            waits = True
        elif waits and message.side is Side.BOT:
            return True
        elif waits and message.ends_wait:
            return False
    return False


def _read_substitute(message: ChatMessage) -> Substitute | None:
    if message.side is Side.BOT:
        return Substitute.BOT
    is_notice = message.side is Side.SYSTEM
    if is_notice and find_placeholder(message.text) is Placeholder.ASSISTANT_ANSWERED:
        return Substitute.ASSISTANT
    return None
