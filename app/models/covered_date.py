"""Covered dates: which daily mail a date is in. A missed date is in the mail of a later one."""

from datetime import date

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class CoveredDate(Base):
    """One date and the mail that covers it. The primary key keeps a date from being covered twice."""

    __tablename__ = "covered_dates"
    __table_args__ = (Index("ix_covered_dates_digest_id", "digest_id"),)

    day: Mapped[date] = mapped_column(primary_key=True)
    digest_id: Mapped[int] = mapped_column(ForeignKey("digests.id"))
