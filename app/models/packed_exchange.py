"""Packed exchanges: each question to the model that was answered, and the answer, as bytes."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Numbered, one_of
from app.models.model_exchange import ExchangePurpose


class PackedExchange(Numbered):
    """One request and its answer.

    The request is not stored. It is rebuilt from the messages, the prompt and the question, and
    compared by its hash.
    """

    __tablename__ = "packed_exchanges"
    __table_args__ = (
        one_of("purpose", ExchangePurpose),
        Index("ix_packed_exchanges_report_id", "report_id"),
        Index("ix_packed_exchanges_failed", "chat_id", postgresql_where=text("report_id IS NULL")),
    )

    report_id: Mapped[int | None] = mapped_column(ForeignKey("reports.id", ondelete="CASCADE"))
    """None: the chat has failed."""
    chat_id: Mapped[int] = mapped_column(ForeignKey("chats.id"))
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    asked_at: Mapped[datetime]
    purpose: Mapped[str]
    prompt_version: Mapped[str]
    content: Mapped[bytes]
    """Question, parameters, hash and answer. See ``app.repositories.exchange_packing``."""
