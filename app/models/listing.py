"""Listings of the Avito accounts, as they were when they were last read."""

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Numbered


class AccountListing(Numbered):
    """One listing of an account. A listing that Avito no longer returns keeps its last values."""

    __tablename__ = "listings"
    __table_args__ = (UniqueConstraint("account_id", "item_id"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    item_id: Mapped[int]
    title: Mapped[str | None]
    price: Mapped[str | None]
    category: Mapped[str | None]
    address: Mapped[str | None]
    status: Mapped[str | None]
    """Avito's word. It is not sent to the model, because it reveals how a chat ended."""
    url: Mapped[str | None]
    read_at: Mapped[datetime]
