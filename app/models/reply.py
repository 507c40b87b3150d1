"""Texts of the company: their uses, and the decision whether a bot sends a repeated one."""

from sqlalchemy import BigInteger, ForeignKey, Index, false, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class ReplyTemplate(Base):
    """A text that several chats of an account have, with its evidence and decision.

    The columns are those of ``app.domain.authors.TemplateDecision``.
    """

    __tablename__ = "reply_templates"
    __table_args__ = (
        Index(
            "ix_reply_templates_unapplied",
            "account_id",
            postgresql_where=text("NOT is_applied"),
        ),
    )

    key: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """See ``app.domain.reply_texts.hash_reply``."""
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    kind: Mapped[str]
    reason: Mapped[str]
    chats: Mapped[int]
    fastest: Mapped[int | None]
    slowest: Mapped[int | None]
    first: Mapped[int | None]
    last: Mapped[int | None]
    is_applied: Mapped[bool] = mapped_column(server_default=false())
    """All messages with the text are decided by this decision."""


class ReplyUse(Base):
    """One message of the company with a text: the evidence of its template.

    See ``app.domain.authors.Reply``.
    """

    __tablename__ = "reply_uses"
    __table_args__ = (Index("ix_reply_uses_key_message_id", "key", "message_id"),)

    message_id: Mapped[int] = mapped_column(
        ForeignKey("messages.id"), primary_key=True, autoincrement=False
    )
    key: Mapped[int]
    """Of its template, which may have no row: the text is not repeated."""
    gap_seconds: Mapped[int | None]
    wait_seconds: Mapped[int | None]
    is_opening: Mapped[bool]
    is_listed: Mapped[bool]
    characters: Mapped[int]
    """Of the text, and of the text before a picture that was sent with it."""
