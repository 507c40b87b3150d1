"""Packed exchanges: each question to the model that was answered, and the answer, as bytes."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import DDL, ForeignKey, Index, event, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Numbered, one_of


class ExchangePurpose(StrEnum):
    """Why the model was asked. ``repeat``: a second grading that measures steadiness."""

    GRADING = "grading"
    REPEAT = "repeat"


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


# A process of the release before looks here for exchanges of earlier releases. There are none: the
# migration has packed them. The next release drops the view.
_EARLIER = """
    CREATE VIEW model_exchanges AS
    SELECT id, report_id, chat_id, run_id, purpose, asked_at, prompt_version,
           NULL::bigint AS first_message_id, NULL::bigint AS last_message_id,
           NULL::json AS question, '' AS parameters, '' AS request_sha256, '' AS answer
    FROM packed_exchanges WHERE false
"""
for _statement, _moment in (
    (_EARLIER, "after_create"),
    ("DROP VIEW model_exchanges", "before_drop"),
):
    _ddl = DDL(_statement)  # type: ignore[no-untyped-call]
    event.listen(PackedExchange.__table__, _moment, _ddl)
