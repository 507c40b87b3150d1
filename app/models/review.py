"""Reviews: a person's word on a report, kept beside the machine's, which never changes."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Numeric, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Numbered


class Review(Numbered):
    """One word of a person. A newer one, or taking it back, ends it and deletes nothing: of each
    report at most one row is not ended.

    Earlier words stay because a grade may cost somebody a bonus, and who changed it from what must
    not be lost when a second person has looked; it costs a column and a partial index. Whoever
    wants what is in force joins by ``reviews.IN_FORCE`` of the repositories.

    Like a report, a row holds its ``body`` as text and its grades as columns, so that a list of
    corrected reports costs what a list of the machine's does.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        Index(
            "uq_reviews_report_id_in_force",
            "report_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_reviews_report_id", "report_id"),
    )

    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id", ondelete="CASCADE"))
    given: Mapped[dict[str, Any]]
    """The grades that the person named, by column; the others stay the machine's."""
    comment: Mapped[str | None]
    reviewer: Mapped[str | None]
    reviewed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    """When a newer word came or this one was taken back; None: it is in force."""

    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    """The report's body with the grades after this review."""
    tonality_grade: Mapped[str]
    professionalism_grade: Mapped[str]
    clarity_grade: Mapped[str]
    problem_solving_grade: Mapped[str]
    objection_handling_grade: Mapped[str]
    closure_grade: Mapped[str]
    score: Mapped[Decimal] = mapped_column(Numeric(5, 2))
    """Of the grades after this review, by the weights that the report was graded with."""
