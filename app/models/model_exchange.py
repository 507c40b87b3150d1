"""Model exchanges as the release before stores them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Numbered, one_of


class ExchangePurpose(StrEnum):
    """Why the model was asked. ``repeat``: a second grading that measures steadiness."""

    GRADING = "grading"
    REPEAT = "repeat"


class ModelExchange(Numbered):
    """One request and its answer, of the release before or an earlier one.

    This release stores ``PackedExchange``. The next one moves these rows and drops the table.
    """

    __tablename__ = "model_exchanges"
    __table_args__ = (
        one_of("purpose", ExchangePurpose),
        Index("ix_model_exchanges_report_id", "report_id"),
        Index("ix_model_exchanges_chat_id", "chat_id"),
    )

    report_id: Mapped[int | None] = mapped_column(ForeignKey("reports.id", ondelete="CASCADE"))
    """None: the chat has failed."""
    chat_id: Mapped[int] = mapped_column(ForeignKey("chats.id"))
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    purpose: Mapped[str]
    asked_at: Mapped[datetime]
    prompt_version: Mapped[str]
    first_message_id: Mapped[int]
    last_message_id: Mapped[int]
    question: Mapped[dict[str, Any]] = mapped_column(JSON)
    """What the user message was built from: nonce, masking, names, zone, working_hours, graded_at,
    earlier, complaint (None for a first question), messages (ids of the window; earlier versions
    stored only its bounds). Also ``attempts``, the number of requests of the grading up to this
    answer, and ``unused``, why the verdict is built without the answer (None: it is used).
    """
    parameters: Mapped[str]
    """The body of the request as JSON text without its messages, in the order of its keys."""
    request_sha256: Mapped[str]
    """Hex digest of the body that was sent."""
    answer: Mapped[str]
