"""Deliveries: one row for each recipient of each mail. They prevent that a mail is sent twice."""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Numbered, one_of


class DeliveryState(StrEnum):
    """State of a delivery.

    ``sending`` is committed before the mail server is contacted; ``failed`` is final.
    """

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
            postgresql_where=text(
                f"state IN ('{DeliveryState.QUEUED}', '{DeliveryState.SENDING}')"
            ),
        ),
        Index(
            "ix_deliveries_failed",
            "named_in_digest_id",
            postgresql_where=text(f"state = '{DeliveryState.FAILED}'"),
        ),
    )

    digest_id: Mapped[int] = mapped_column(ForeignKey("digests.id"))
    recipient: Mapped[str]
    message_id: Mapped[str]
    """The header. It is the same in every attempt, so a mail server can recognize a duplicate."""
    state: Mapped[str] = mapped_column(server_default=DeliveryState.QUEUED)
    tries: Mapped[int] = mapped_column(server_default="0")
    refusals: Mapped[int] = mapped_column(server_default="0")
    """The number of refusals of this recipient by the mail server."""
    first_tried_at: Mapped[datetime | None]
    next_try_at: Mapped[datetime | None]
    """The scheduler's next retry; None: only a call or a daily run retries."""
    claim_token: Mapped[uuid.UUID | None]
    """The current or last attempt. Updates by another attempt change nothing."""
    claimed_until: Mapped[datetime | None]
    """No other attempt may begin before this moment of the database's clock."""
    claim_backend: Mapped[str | None]
    """The Postgres backend that lives as long as the process of the attempt.

    The attempt has announced its final dot. None: unknown.
    """
    sent_at: Mapped[datetime | None]
    answer: Mapped[str | None]
    """The last reply of the mail server."""
    named_in_digest_id: Mapped[int | None] = mapped_column(ForeignKey("digests.id"))
    """The mail that names the failed address."""
