"""Paces of requests that all processes of the service share."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class RequestPace(Base):
    """The pace of one kind of requests; see ``app.services.pace``."""

    __tablename__ = "request_paces"

    name: Mapped[str] = mapped_column(primary_key=True)
    next_at: Mapped[datetime]
    """When the next request would be due if all requests were spread evenly."""
