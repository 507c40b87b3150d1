"""Digests: stored mails with their figures."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Numbered, one_of


class DigestKind(StrEnum):
    """Kind of a mail.

    ``daily``: of the daily run, one for each date; ``supplement``: requested by a person;
    ``resend``: the reports of a past date again.
    """

    DAILY = "daily"
    SUPPLEMENT = "supplement"
    RESEND = "resend"


class Digest(Numbered):
    """One mail. Its recipients are in its deliveries."""

    __tablename__ = "digests"
    __table_args__ = (
        one_of("kind", DigestKind),
        Index("ix_digests_day", "day"),
        Index(
            "uq_digests_day_daily",
            "day",
            unique=True,
            postgresql_where=text(f"kind = '{DigestKind.DAILY}'"),
        ),
        Index("uq_digests_run_id", "run_id", unique=True),
        Index(
            "ix_digests_first_sent_run_id",
            "first_sent_run_id",
            postgresql_where=text("first_sent_run_id IS NOT NULL"),
        ),
        Index("ix_digests_unsent", "id", postgresql_where=text("first_sent_at IS NULL")),
        Index("ix_digests_with_mime", "id", postgresql_where=text("mime IS NOT NULL")),
    )

    day: Mapped[date]
    kind: Mapped[str]
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    period_start: Mapped[datetime | None]
    period_end: Mapped[datetime]
    """The cut-off: the mail covers what was created before it."""
    after_message_id: Mapped[int | None]
    """The newest message at the previous cut-off.

    A message copied since then is new, even if it was written earlier.
    """
    last_message_id: Mapped[int | None]
    """The newest message when the mail was built."""
    figures: Mapped[dict[str, Any]]
    """The contents of the mail."""
    day_figures: Mapped[dict[str, Any] | None]
    """The figures of all mails of the date up to this one.

    None for the first, whose ``figures`` are the same.
    """
    reports_count: Mapped[int]
    subject: Mapped[str]
    mime: Mapped[bytes | None]
    """The mail without ``To`` and ``Message-ID``. Deleted when every delivery is final."""
    created_at: Mapped[datetime]
    first_sent_at: Mapped[datetime | None]
    first_sent_run_id: Mapped[int | None]
    """The run that delivered the mail to its first recipient.

    None before that, or if a retry of the scheduler delivered it.
    """
