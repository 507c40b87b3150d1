"""Reports: one grading of one chat each, never changed after it is written."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Numeric, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Numbered, one_of


class ReportKind(StrEnum):
    """``regrade``: written beside the old report for comparison; never listed, never mailed."""

    GRADING = "grading"
    REGRADE = "regrade"


class Report(Numbered):
    """One grading. ``body`` is the object that REST answers, stored as text once so that reading it
    costs next to nothing.

    Only its moment is spelled anew, where REPORT_TIMEZONE has changed since.
    """

    __tablename__ = "reports"
    __table_args__ = (
        one_of("kind", ReportKind),
        Index(
            "ix_reports_created_at_id",
            "created_at",
            "id",
            postgresql_where=text("kind = 'grading'"),
        ),
        Index("ix_reports_chat_id", "chat_id"),
        Index("ix_reports_run_id", "run_id"),
        Index("ix_reports_digest_id", "digest_id"),
        Index(
            "ix_reports_regrade_of_id",
            "regrade_of_id",
            postgresql_where=text("regrade_of_id IS NOT NULL"),
        ),
        Index(
            "ix_reports_unmailed",
            "created_at",
            postgresql_where=text("digest_id IS NULL AND kind = 'grading'"),
        ),
    )

    kind: Mapped[str] = mapped_column(server_default=ReportKind.GRADING)
    regrade_of_id: Mapped[int | None] = mapped_column(ForeignKey("reports.id"))
    """Of a regrade: the report whose messages it has graded again."""
    chat_id: Mapped[int] = mapped_column(ForeignKey("chats.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    digest_id: Mapped[int | None] = mapped_column(ForeignKey("digests.id"))
    """The mail that carried it first."""
    created_at: Mapped[datetime]
    body: Mapped[dict[str, Any]] = mapped_column(JSON)

    tonality_grade: Mapped[str]
    professionalism_grade: Mapped[str]
    clarity_grade: Mapped[str]
    problem_solving_grade: Mapped[str]
    objection_handling_grade: Mapped[str]
    closure_grade: Mapped[str]
    score: Mapped[Decimal] = mapped_column(Numeric(5, 2))
    """0 to 100: the mean of 100, 50 and 0 over the criteria that apply."""

    detail: Mapped[dict[str, Any]]
    """What stands behind the grades: checks, quotes with message ids, the model's own grades,
    flags, advice, answer times.
    """
    first_message_id: Mapped[int]
    last_message_id: Mapped[int]
    window_messages: Mapped[int]
    """The messages graded, from the first to the last of these, both included."""
    model: Mapped[str]
    fingerprint: Mapped[str | None]
    prompt_version: Mapped[str]
    prompt_hit_tokens: Mapped[int]
    prompt_miss_tokens: Mapped[int]
    completion_tokens: Mapped[int]
    cost_usd: Mapped[Decimal | None] = mapped_column(Numeric(12, 8))
