"""The replies of a chat: the company's texts with their times after the buyer's messages."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.domain.authors import Reply
from app.domain.messages import ChatMessage, Side
from app.domain.placeholders import CALL_TYPES, HIDDEN_AS, Placeholder, find_placeholder
from app.domain.reply_texts import ListedTexts, hash_reply, normalize_reply

_NO_ANSWERS = frozenset({*CALL_TYPES, *HIDDEN_AS.values()}) - {"text"}
"""Types of messages without words of the company."""
_LINK = re.compile(r"^\[ссылка: (.*)\]$")
_ONE_ANSWER = timedelta(seconds=10)
"""A picture so soon after a text was sent with it."""


class KeyedReply(NamedTuple):
    """A reply with the number of its message and the key of its template."""

    message_id: int
    key: int
    reply: Reply


@dataclass(frozen=True)
class ChatTexts:
    """What is known of the chat whose replies are listed.

    ``names``: words that vary between copies of a text. ``title``: of the listing. ``zone``: of
    reports. ``listed``: the texts of AUTOREPLY_TEXTS_FILE.
    """

    chat_id: int
    account_id: int
    names: tuple[str, ...]
    title: str | None
    zone: ZoneInfo
    listed: ListedTexts


@dataclass
class _Course:
    """The state of a chat before a message. ``last_text``: of the company, with its time."""

    last_text: tuple[str, datetime] | None = None
    asked_at: datetime | None = None
    waiting_since: datetime | None = None
    is_answered: bool = False
    has_company: bool = False

    def add(self, message: ChatMessage) -> None:
        if message.side is Side.CLIENT or _is_lead(message):
            if self.waiting_since is None or self.is_answered:
                self.waiting_since = message.sent_at
            self.asked_at, self.is_answered, self.last_text = message.sent_at, False, None
        elif message.side is not Side.SYSTEM:
            self.is_answered = self.has_company = True
            if message.has_text:
                self.last_text = message.text, message.sent_at


def list_replies(messages: Sequence[ChatMessage], chat: ChatTexts) -> Iterator[KeyedReply]:
    """Yield the replies of a chat: the company's texts, pictures and links.

    ``messages`` are sorted, oldest first, with those of bots on either side.
    """
    course = _Course()
    for message in messages:
        if message.side in (Side.COMPANY, Side.BOT):
            words = _read_words(message, course)
            if normalized := normalize_reply(words, names=chat.names, title=chat.title):
                key = hash_reply(chat.account_id, normalized)
                is_listed = _is_listed(words, normalized, chat.listed)
                reply = _make_reply(message, course, chat, len(words), is_listed=is_listed)
                yield KeyedReply(message.id, key, reply)
        course.add(message)


def _is_lead(message: ChatMessage) -> bool:
    """Return whether it is the notice that the buyer opened the chat: a bot may answer to it."""
    is_notice = message.side is Side.SYSTEM
    return is_notice and find_placeholder(message.text) is Placeholder.NOTHING_WRITTEN


def _read_words(message: ChatMessage, course: _Course) -> str:
    """Return the words by which copies of a message are recognised; empty if it has none.

    A picture or link soon after a text is one answer with it: both are a bot's or neither is. Any
    other picture is like every picture.
    """
    if message.has_text:
        return message.text
    if message.type in _NO_ANSWERS:
        return ""
    shown = _LINK.sub(r"\1", message.text)
    if course.last_text is None or message.sent_at - course.last_text[1] > _ONE_ANSWER:
        return shown
    return f"{course.last_text[0]} {message.text}"


def _make_reply(
    message: ChatMessage, course: _Course, chat: ChatTexts, characters: int, *, is_listed: bool
) -> Reply:
    return Reply(
        chat_id=chat.chat_id,
        sent_at=message.sent_at.astimezone(chat.zone),
        gap_seconds=_count_seconds(course.asked_at, message.sent_at),
        wait_seconds=_count_seconds(course.waiting_since, message.sent_at),
        characters=characters,
        is_opening=not course.has_company,
        is_listed=is_listed,
    )


def _is_listed(words: str, normalized: str, listed: ListedTexts) -> bool:
    """Return whether AUTOREPLY_TEXTS_FILE has the text, with the chat's own words or without."""
    if not listed.lines:
        return False
    return listed.contains(normalized) or listed.contains(normalize_reply(words))


def _count_seconds(since: datetime | None, until: datetime) -> int | None:
    return None if since is None else int((until - since).total_seconds())
