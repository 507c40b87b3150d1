"""Reports: one stored grading of a chat each. A report is never changed."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Numeric, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Numbered, one_of


class ReportKind(StrEnum):
    """Kind of a report. ``regrade``: a second grading for comparison, never listed or mailed."""

    GRADING = "grading"
    REGRADE = "regrade"


class Report(Numbered):
    """One grading.

    ``body`` is the object that REST returns. It is stored as uncompressed text, so reading it needs
    no serialization. Only its moment is rewritten if REPORT_TIMEZONE has changed.
    """

    __tablename__ = "reports"
    __table_args__ = (
        one_of("kind", ReportKind),
        Index(
            "ix_reports_created_at_id",
            "created_at",
            "id",
            postgresql_where=text(f"kind = '{ReportKind.GRADING}'"),
        ),
        Index(
            "ix_reports_score",
            "score",
            "created_at",
            "id",
            postgresql_where=text(f"kind = '{ReportKind.GRADING}'"),
        ),
        Index("ix_reports_cost", "created_at", postgresql_include=["cost_usd"]),
        Index("ix_reports_chat_id", "chat_id"),
        Index("ix_reports_run_id", "run_id"),
        Index("ix_reports_digest_id", "digest_id"),
        Index(
            "ix_reports_regrade_of_id",
            "regrade_of_id",
            postgresql_where=text("regrade_of_id IS NOT NULL"),
        ),
        Index("ix_reports_repeated", "created_at", postgresql_where=text("repeat IS NOT NULL")),
        Index(
            "ix_reports_unmailed",
            "created_at",
            postgresql_where=text(f"digest_id IS NULL AND kind = '{ReportKind.GRADING}'"),
        ),
    )

    kind: Mapped[str] = mapped_column(server_default=ReportKind.GRADING)
    regrade_of_id: Mapped[int | None] = mapped_column(ForeignKey("reports.id"))
    """The report whose window this regrade has graded again."""
    chat_id: Mapped[int] = mapped_column(ForeignKey("chats.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    digest_id: Mapped[int | None] = mapped_column(ForeignKey("digests.id"))
    """The mail that carried the report first."""
    created_at: Mapped[datetime]
    body: Mapped[dict[str, Any]] = mapped_column(JSON)

    tonality_grade: Mapped[str]
    professionalism_grade: Mapped[str]
    clarity_grade: Mapped[str]
    problem_solving_grade: Mapped[str]
    objection_handling_grade: Mapped[str]
    closure_grade: Mapped[str]
    score: Mapped[Decimal] = mapped_column(Numeric(5, 2))
    """0 to 100, by ``app.domain.score``."""

    detail: Mapped[dict[str, Any]]
    """The basis of the grades.

    Contains checks, quotes with message ids, the model's own grades, flags, advice and answer
    times. Values that most reports have are left out (``report_body.complete_detail``).
    """
    repeat: Mapped[dict[str, Any] | None]
    """A second grading of the same messages, for steadiness: grades by criterion and check answers
    by id. None: the chat was graded once.
    """
    first_client_at: Mapped[datetime | None]
    """The time of the buyer's first message in the graded episode.

    None: a regrade, or a report of a release without this column.
    """
    first_message_id: Mapped[int]
    last_message_id: Mapped[int]
    window_messages: Mapped[int]
    """The number of graded messages from the first to the last one, both included."""
    model: Mapped[str]
    fingerprint: Mapped[str | None]
    prompt_version: Mapped[str]
    prompt_hit_tokens: Mapped[int]
    prompt_miss_tokens: Mapped[int]
    completion_tokens: Mapped[int]
    cost_usd: Mapped[Decimal | None] = mapped_column(Numeric(12, 8))
