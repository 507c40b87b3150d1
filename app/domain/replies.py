"""The replies of a chat: the company's texts with their times after the buyer's messages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.domain.authors import Reply
from app.domain.messages import ChatMessage, Side
from app.domain.placeholders import Placeholder, find_placeholder
from app.domain.reply_texts import ListedTexts, hash_reply, normalize_reply


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
    """The state of a chat before a message."""

    asked_at: datetime | None = None
    waiting_since: datetime | None = None
    is_answered: bool = False
    has_company: bool = False

    def add(self, message: ChatMessage) -> None:
        if message.side is Side.CLIENT or _is_lead(message):
            if self.waiting_since is None or self.is_answered:
                self.waiting_since = message.sent_at
            self.asked_at, self.is_answered = message.sent_at, False
        elif message.side is not Side.SYSTEM:
            self.is_answered = self.has_company = True


def list_replies(messages: Sequence[ChatMessage], chat: ChatTexts) -> Iterator[KeyedReply]:
    """Yield the replies of a chat: the texts of the company.

    ``messages`` are sorted, oldest first, with those of bots on either side.
    """
    course = _Course()
    for message in messages:
        is_text = message.side in (Side.COMPANY, Side.BOT) and message.has_text
        if is_text and (normalized := _normalize(message, chat)):
            key = hash_reply(chat.account_id, normalized)
            yield KeyedReply(message.id, key, _make_reply(message, course, chat, normalized))
        course.add(message)


def _is_lead(message: ChatMessage) -> bool:
    """Return whether it is the notice that the buyer opened the chat: a bot may answer to it."""
    is_notice = message.side is Side.SYSTEM
    return is_notice and find_placeholder(message.text) is Placeholder.NOTHING_WRITTEN


def _normalize(message: ChatMessage, chat: ChatTexts) -> str:
    return normalize_reply(message.text, names=chat.names, title=chat.title)


def _make_reply(message: ChatMessage, course: _Course, chat: ChatTexts, normalized: str) -> Reply:
    return Reply(
        chat_id=chat.chat_id,
        sent_at=message.sent_at.astimezone(chat.zone),
        gap_seconds=_count_seconds(course.asked_at, message.sent_at),
        wait_seconds=_count_seconds(course.waiting_since, message.sent_at),
        characters=len(message.text),
        is_opening=not course.has_company,
        is_listed=chat.listed.contains(normalized),
    )


def _count_seconds(since: datetime | None, until: datetime) -> int | None:
    return None if since is None else int((until - since).total_seconds())
