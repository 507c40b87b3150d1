"""Deliveries: one row for each recipient of each mail; the ledger that keeps a mail from going out
twice.
"""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Numbered, one_of


class DeliveryState(StrEnum):
    """``sending`` is committed before the mail server is spoken to; ``failed`` is for good."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


class Delivery(Numbered):
    """One mail to one recipient."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("digest_id", "recipient"),
        one_of("state", DeliveryState),
        Index(
            "ix_deliveries_open",
            "next_try_at",
            postgresql_where=text("state IN ('queued', 'sending')"),
        ),
    )

    digest_id: Mapped[int] = mapped_column(ForeignKey("digests.id"))
    recipient: Mapped[str]
    message_id: Mapped[str]
    """The header; the same at every attempt, so that a mail that did arrive is recognised."""
    state: Mapped[str] = mapped_column(server_default=DeliveryState.QUEUED)
    tries: Mapped[int] = mapped_column(server_default="0")
    refusals: Mapped[int] = mapped_column(server_default="0")
    """How often the server refused this recipient."""
    first_tried_at: Mapped[datetime | None]
    next_try_at: Mapped[datetime | None]
    """When the scheduler tries again; None: only a call or a daily run does."""
    claim_token: Mapped[uuid.UUID | None]
    """The attempt under way, or the last one: another attempt's writes change nothing."""
    claimed_until: Mapped[datetime | None]
    """Until when, by the database's clock, no other attempt may begin."""
    claim_backend: Mapped[str | None]
    """The Postgres backend that lives as long as the process whose attempt is past its final dot;
    None: not known.
    """
    sent_at: Mapped[datetime | None]
    answer: Mapped[str | None]
    """What the mail server said last."""
    named_in_digest_id: Mapped[int | None] = mapped_column(ForeignKey("digests.id"))
    """The mail that told people of a failure for good."""
