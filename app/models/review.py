"""Reviews: corrections of a report by a person. The report itself never changes."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Numeric, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Numbered


class Review(Numbered):
    """One correction of a report.

    A newer review or a withdrawal ends it; the row stays. At most one review of a report is not
    ended: the current one.

    Ended reviews stay because a grade may affect a bonus, and the history of changes must not be
    lost. The cost is a column and a partial index. Queries join the current review by
    ``repositories.reviews.IS_CURRENT``.

    Like a report, a review stores its ``body`` as text and its grades as columns, so a list of
    reviewed reports is as fast as a list of reports.
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
        Index("ix_reviews_blind", "reviewed_at", postgresql_where=text("blind")),
    )

    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id", ondelete="CASCADE"))
    given: Mapped[dict[str, Any]]
    """The grades that the reviewer named, by column. The other grades are the report's."""
    comment: Mapped[str | None]
    reviewer: Mapped[str | None]
    blind: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether it is a label: all six grades of a report of the weekly sample, given blind."""
    reviewed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    """When a newer review replaced this one or it was withdrawn; None: it is current."""

    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    """The report's body with the grades of this review."""
    tonality_grade: Mapped[str]
    professionalism_grade: Mapped[str]
    clarity_grade: Mapped[str]
    problem_solving_grade: Mapped[str]
    objection_handling_grade: Mapped[str]
    closure_grade: Mapped[str]
    score: Mapped[Decimal] = mapped_column(Numeric(5, 2))
    """The score of these grades, with the rubric weights of the report."""
