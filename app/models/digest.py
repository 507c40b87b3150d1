"""Digests: the mails that were put together, with the figures they carried."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Numbered, one_of


class DigestKind(StrEnum):
    """``daily``: by the daily run, one a date; ``supplement``: by a person; ``resend``: an old
    date's reports again.
    """

    DAILY = "daily"
    SUPPLEMENT = "supplement"
    RESEND = "resend"


class Digest(Numbered):
    """One mail, put together once; its deliveries say who got it."""

    __tablename__ = "digests"
    __table_args__ = (
        one_of("kind", DigestKind),
        Index("ix_digests_day", "day"),
        Index("uq_digests_day_daily", "day", unique=True, postgresql_where=text("kind = 'daily'")),
        Index("uq_digests_run_id", "run_id", unique=True),
    )

    day: Mapped[date]
    kind: Mapped[str]
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    period_start: Mapped[datetime | None]
    period_end: Mapped[datetime]
    """The cut-off: the mail covers what was created before it."""
    after_message_id: Mapped[int | None]
    """The newest message that was here at the cut-off before: what was copied since then is news,
    whenever it was written.
    """
    last_message_id: Mapped[int | None]
    """The newest message that was here when the mail was put together."""
    figures: Mapped[dict[str, Any]]
    """What the mail says."""
    day_figures: Mapped[dict[str, Any] | None]
    """What its date's mails say together so far; None for the first of them, which says just that.
    """
    reports_count: Mapped[int]
    subject: Mapped[str]
    mime: Mapped[bytes | None]
    """The mail without ``To`` and ``Message-ID``; dropped when every delivery is final."""
    created_at: Mapped[datetime]
    first_sent_at: Mapped[datetime | None]
    first_sent_run_id: Mapped[int | None]
    """The run whose call brought the mail to its first recipient; None while nobody has it, or the
    scheduler's retry did.
    """
