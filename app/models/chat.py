"""Chats: what Avito says of them, what is still to be read, and what became of their grading."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, false, text, true
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.outcomes import Outcome
from app.models.base import Numbered, one_of


class Chat(Numbered):
    """One chat of one account; the same Avito id may occur under two accounts."""

    __tablename__ = "chats"
    __table_args__ = (
        UniqueConstraint("account_id", "avito_id"),
        one_of("outcome", Outcome),
        Index("ix_chats_messages_due", "account_id", postgresql_where=text("messages_due")),
        Index("ix_chats_due_since", "due_since", postgresql_where=text("due_since IS NOT NULL")),
        Index("ix_chats_last_person_at", "last_person_at"),
        Index("ix_chats_avito_id", "avito_id"),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    avito_id: Mapped[str]
    chat_type: Mapped[str | None]
    item_id: Mapped[int | None]
    item_title: Mapped[str | None]
    item_url: Mapped[str | None]
    item_price: Mapped[str | None]
    client_id: Mapped[int | None]
    client_name: Mapped[str | None]
    avito_created_at: Mapped[datetime | None]
    avito_updated_at: Mapped[datetime | None]
    listed_message_id: Mapped[str | None]
    """Avito's id of the newest message as the chat list showed it."""

    messages_due: Mapped[bool] = mapped_column(server_default=true())
    """Avito has shown activity that is not copied yet."""
    hints: Mapped[int] = mapped_column(server_default="0")
    """How often a webhook has named the chat: one that comes while the chat is read must not be
    lost.
    """
    messages_read_at: Mapped[datetime | None]
    history_complete: Mapped[bool] = mapped_column(server_default=false())
    """Every message back to the first is stored; False once read: Avito's reach ended before the
    chat did.
    """
    read_error: Mapped[str | None]
    """Why the last reading of the messages failed; a Russian sentence."""

    last_message_at: Mapped[datetime | None]
    last_person_message_id: Mapped[int | None]
    """The newest message that a person wrote, on either side, by order in the chat. Not a foreign
    key: messages point here.
    """
    last_person_at: Mapped[datetime | None]
    last_person_side: Mapped[str | None]
    waiting_since: Mapped[datetime | None]
    """When the buyer wrote the first of the messages that nobody has answered; None: the company
    has the last word.
    """

    seen_message_id: Mapped[int | None]
    """The last person's message that a report, or the finding that there is nothing to grade, has
    seen.
    """
    due_since: Mapped[datetime | None]
    """When the first person's message after ``seen_message_id`` was written; None: the chat is not
    due.
    """
    outcome: Mapped[str | None]
    outcome_reason: Mapped[str | None]
    """Skipped: a code of why. Failed: a Russian sentence. Waiting: a Russian word for what stopped
    the grading.
    """
    outcome_message_id: Mapped[int | None]
    """The last person's message when the outcome was found; a newer one makes an old failure
    forgotten.
    """
    outcome_at: Mapped[datetime | None]
    outcome_run_id: Mapped[int | None]
    failures: Mapped[int] = mapped_column(server_default="0")
    """Failed attempts since the last person's message; past the fourth only ``force`` tries again.
    """
    grading_token: Mapped[uuid.UUID | None]
    """The lease of the run that is grading the chat; a result is written only where it still
    matches.
    """
