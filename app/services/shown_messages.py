"""Stored messages with their authors, for display."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.author_kinds import (
    AuthorKind,
    TemplateFigures,
    describe_author_reason,
    read_author_kind,
)
from app.models import Message
from app.repositories import reply_templates


@dataclass(frozen=True)
class ShownMessage:
    """A message with its author. ``author_reason``: why a company's author has its kind."""

    id: int
    side: str
    type: str
    text: str
    has_text: bool
    sent_at: datetime
    is_read: bool | None
    deleted_at: datetime | None
    author_kind: AuthorKind
    author_reason: str | None


async def show_messages(session: AsyncSession, stored: Sequence[Message]) -> list[ShownMessage]:
    """Return the messages with their authors, in the same order."""
    figures = await reply_templates.list_figures(session, [message.id for message in stored])
    return [_show_message(message, figures.get(message.id)) for message in stored]


def _show_message(message: Message, figures: TemplateFigures | None) -> ShownMessage:
    return ShownMessage(
        message.id,
        message.side,
        message.type,
        message.text,
        message.has_text,
        message.sent_at,
        message.is_read,
        message.deleted_at,
        read_author_kind(message.side, message.text, message.author_kind),
        describe_author_reason(message.author_reason, figures),
    )
