"""Chats: Avito's data, the state of the copy, and the outcome of grading."""

import uuid
from datetime import datetime

from sqlalchemy import Computed, ForeignKey, Index, UniqueConstraint, false, text, true
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.messages import FINAL_AFTER
from app.domain.outcomes import Outcome
from app.models.base import Numbered, one_of

_MAY_LOSE_MESSAGES = (
    f"messages_read_at - last_message_at < interval '{FINAL_AFTER.total_seconds():.0f} s'"
)

_LEFT_OVER = f"outcome IN ('{Outcome.FAILED}', '{Outcome.WAITING}')"
"""A grading has stopped before the chat or has failed. Old chats that no run has reached are due
without an outcome: there may be many.
"""


class Chat(Numbered):
    """One chat of one account. The same Avito id may occur in two accounts."""

    __tablename__ = "chats"
    __table_args__ = (
        UniqueConstraint("account_id", "avito_id"),
        one_of("outcome", Outcome),
        Index("ix_chats_messages_due", "account_id", postgresql_where=text("messages_due")),
        Index("ix_chats_due_since", "due_since", postgresql_where=text("due_since IS NOT NULL")),
        Index("ix_chats_last_person_at", "last_person_at"),
        Index("ix_chats_avito_id", "avito_id"),
        Index("ix_chats_account_id_item_id", "account_id", "item_id"),
        Index("ix_chats_listing", "id", postgresql_include=["item_id"]),
        Index("ix_chats_created_at", "account_id", "avito_created_at"),
        Index("ix_chats_outcome_run_id", "outcome_run_id"),
        Index("ix_chats_incomplete", "account_id", postgresql_where=text("NOT history_complete")),
        Index(
            "ix_chats_deletable",
            "account_id",
            postgresql_where=text("may_lose_messages AND read_error IS NULL"),
        ),
        Index(
            "ix_chats_left_over",
            "due_since",
            postgresql_where=text(f"due_since IS NOT NULL AND {_LEFT_OVER}"),
        ),
        Index(
            "ix_chats_leads",
            "last_message_at",
            postgresql_where=text("lead_message_id IS NOT NULL"),
        ),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    avito_id: Mapped[str]
    chat_type: Mapped[str | None]
    item_id: Mapped[int | None]
    item_title: Mapped[str | None]
    item_url: Mapped[str | None]
    item_price: Mapped[str | None]
    item_earlier_prices: Mapped[list[str]] = mapped_column(server_default="{}")
    """The last prices of the listing before ``item_price``, oldest first."""
    item_owner_id: Mapped[int | None]
    """Avito's number of the listing's owner; None: Avito does not name one.

    If it is not the account's, the company is the buyer of this chat.
    """
    client_id: Mapped[int | None]
    client_name: Mapped[str | None]
    avito_created_at: Mapped[datetime | None]
    avito_updated_at: Mapped[datetime | None]
    listed_message_id: Mapped[str | None]
    """Avito's id of the newest message in the chat list."""

    messages_due: Mapped[bool] = mapped_column(server_default=true())
    """The chat is unread: Avito has shown activity that is not copied yet."""
    hints: Mapped[int] = mapped_column(server_default="0")
    """The number of webhooks that named the chat.

    If it changes while the chat is read, the chat stays unread.
    """
    messages_read_at: Mapped[datetime | None]
    may_lose_messages: Mapped[bool] = mapped_column(
        Computed(_MAY_LOSE_MESSAGES, persisted=True), nullable=True
    )
    """The chat was last read while one of its messages could still be deleted; None: never read.

    The index is on this column and not on the moments, which change with each reading. An update
    that changes no column with an index stays in its page (HOT).
    """
    history_complete: Mapped[bool] = mapped_column(server_default=false())
    """Every message back to the first is stored.

    False after a reading: Avito does not return the oldest messages.
    """
    read_error: Mapped[str | None]
    """Why the last reading of the messages failed: a Russian sentence."""

    last_message_at: Mapped[datetime | None]
    last_person_message_id: Mapped[int | None]
    """The newest message of a person on either side, by order in the chat.

    Not a foreign key: messages refer to chats.
    """
    last_person_at: Mapped[datetime | None]
    last_person_side: Mapped[str | None]
    lead_message_id: Mapped[int | None]
    """Avito's notice of a lead without a message, while nobody has written."""
    unanswered_since: Mapped[datetime | None]
    """The time of the buyer's first unanswered message; None: the buyer does not wait.

    See ``ChatMessage.begins_wait`` and ``ends_wait``.
    """

    seen_message_id: Mapped[int | None]
    """The last person's message when the chat was graded or skipped."""
    due_since: Mapped[datetime | None]
    """The time of the first person's message after ``seen_message_id``; None: the chat is not due.

    For a chat with ``lead_message_id``: the time of that notice, until it has been seen.
    """
    outcome: Mapped[str | None]
    outcome_code: Mapped[str | None]
    """An ``OutcomeCode``: why the chat is skipped, failed or waiting.

    None: it is graded, or an early release has stored only a detail.
    """
    outcome_detail: Mapped[str | None]
    """More about the cause for a person, in Russian; None: the code's label is all there is."""
    outcome_message_id: Mapped[int | None]
    """The last person's message at the time of the outcome. A newer one resets ``failures``."""
    outcome_at: Mapped[datetime | None]
    outcome_run_id: Mapped[int | None]
    failures: Mapped[int] = mapped_column(server_default="0")
    """Failed attempts since the last person's message.

    After ``MAX_FAILURES`` only ``force`` tries again.
    """
    grading_token: Mapped[uuid.UUID | None]
    """The token of the run that has claimed the chat. A result is written only if it matches."""
