"""Avito accounts of the company, as the last sync found them."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Numbered


class Account(Numbered):
    """One Avito account; the key is Avito's number of it, so that a changed name or key changes
    nothing else.
    """

    __tablename__ = "accounts"

    avito_user_id: Mapped[int] = mapped_column(unique=True)
    client_id: Mapped[str]
    """The API client that read it last; a setting, not a secret."""
    name: Mapped[str]
    listed_up_to: Mapped[datetime | None]
    """The watermark: the newest activity that the last list pass which ended well has seen."""
    fully_listed_at: Mapped[datetime | None]
    """When a list pass last ran to the end of Avito's list instead of stopping at the watermark."""
    lists_cut_short: Mapped[int] = mapped_column(server_default="0")
    """Lists of chats, each as narrow as can be asked for, that went on past Avito's reach: chats
    exist that were never seen.
    """
    synced_at: Mapped[datetime | None]
    """When the account was last read without a failure of the account itself."""
