"""Avito accounts of the company, as of the last sync."""

from datetime import datetime

from sqlalchemy import false
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Numbered


class Account(Numbered):
    """One Avito account. Its key is Avito's number, so the name and the API keys may change."""

    __tablename__ = "accounts"

    avito_user_id: Mapped[int] = mapped_column(unique=True)
    client_id: Mapped[str]
    """The API client of the last sync: a setting, not a secret."""
    name: Mapped[str]
    listed_up_to: Mapped[datetime | None]
    """The watermark: the newest activity in the last successful list pass."""
    fully_listed_at: Mapped[datetime | None]
    """The end of the last full pass: every list of chats was read to its end."""
    full_pass_due_at: Mapped[datetime | None]
    """When the full pass continues, or the next one begins; None: it is due."""
    full_pass_position: Mapped[int | None]
    """The last part that the full pass in progress has read, see ``FullPass``.

    None: no pass is in progress.
    """
    full_pass_pages: Mapped[int] = mapped_column(server_default="0")
    """The number of pages that the pass in progress has at least."""
    full_pass_cut_short: Mapped[int] = mapped_column(server_default="0")
    """The ``lists_cut_short`` of the parts that the pass in progress has read."""
    self_read_at: Mapped[datetime | None]
    """The last time that Avito was asked for the account of the keys."""
    lists_cut_short: Mapped[int] = mapped_column(server_default="0")
    """The number of chat lists that are longer than Avito returns.

    The lists are restricted as far as possible, so the account has chats that no sync has seen.
    """
    listed_replies: Mapped[str | None]
    """The digest of the AUTOREPLY_TEXTS_FILE by which all messages are decided."""
    listings_page: Mapped[int | None]
    """The next page of the listings; None: no pass over them is in progress."""
    listings_read_at: Mapped[datetime | None]
    """The end of the last pass over the listings, also of one that Avito has refused."""
    chats_read: Mapped[int] = mapped_column(server_default="0")
    """The number of chats that have been read at least once.

    It is kept, and counted when a full pass begins: counting in every sync would cost more from day
    to day.
    """
    is_loading: Mapped[bool] = mapped_column(server_default=false())
    """The first sync of the account has not ended.

    Bots are recognised by copies of their texts in several chats, so its chats are not graded yet.
    """
    synced_at: Mapped[datetime | None]
    """The last sync without a failure of the account itself."""
