"""Prompts: each system message that graded a report, with its rubric."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class Prompt(Base):
    """A system message with its rubric. A report names it by ``prompt_version``.

    Rows are never changed: an old report shows the questions that the model was asked.
    """

    __tablename__ = "prompts"

    version: Mapped[str] = mapped_column(primary_key=True)
    system: Mapped[str]
    rubric: Mapped[dict[str, Any]]
    facts: Mapped[str | None]
    """The text of COMPANY_FACTS_FILE; None: there was none."""
    first_used_at: Mapped[datetime]
