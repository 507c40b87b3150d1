"""Messages of the chats: Avito's content, and its text for people."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.placeholders import read_call_status
from app.models.base import Numbered


class Message(Numbered):
    """One message.

    Order in a chat: by ``sent_at``; within one second system messages last, then by ``id``, which
    is Avito's order.
    """

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("chat_id", "avito_id"),
        Index("ix_messages_chat_id_sent_at", "chat_id", "sent_at"),
        Index(
            "ix_messages_undecided",
            "chat_id",
            postgresql_where=text("side = 'company' AND author_kind IS NULL"),
        ),
    )

    chat_id: Mapped[int] = mapped_column(ForeignKey("chats.id"))
    avito_id: Mapped[str]
    side: Mapped[str]
    """``client``, ``company`` or ``system``."""
    author_id: Mapped[int | None]
    type: Mapped[str]
    text: Mapped[str]
    """The text itself, or words in brackets for a picture and other content without text."""
    has_text: Mapped[bool]
    content: Mapped[dict[str, Any] | None]
    """Avito's object; None: it contains only ``text``. Early releases stored that too."""
    quote: Mapped[dict[str, Any] | None]
    sent_at: Mapped[datetime]
    is_read: Mapped[bool | None]
    read_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    """When a sync found the message deleted. Its stored text stays."""
    author_kind: Mapped[str | None]
    """Of a message of the company: ``person``, ``bot`` or ``unknown``.

    None: not decided yet, in a row of an earlier release; the message counts as a person's. See
    ``app.domain.authors``.
    """
    author_reason: Mapped[str | None]
    """An ``AuthorReason``: why it has its kind."""

    @property
    def call_status(self) -> str | None:
        """The status of a call."""
        return read_call_status(self.type, self.content)
