"""Covered dates: the daily mail that contains a date. A missed date is in a later date's mail."""

from datetime import date

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class CoveredDate(Base):
    """One date and its mail. The primary key ensures that only one mail covers a date."""

    __tablename__ = "covered_dates"
    __table_args__ = (Index("ix_covered_dates_digest_id", "digest_id"),)

    day: Mapped[date] = mapped_column(primary_key=True)
    digest_id: Mapped[int] = mapped_column(ForeignKey("digests.id"))
