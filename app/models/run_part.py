"""Parts of grading runs: what each process does of a run."""

import uuid
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, Numeric, func
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class RunPart(Base):
    """The part of one process in a grading run.

    The holder's part has the token of the run; a helper's part has a token of its own. A part is
    live until its lease ends. Parts that have ended are kept until the next run, for their counts.
    """

    __tablename__ = "run_parts"

    token: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    """The token under which the process claims chats."""
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    holder_token: Mapped[uuid.UUID]
    """The token of the process that had claimed the run when this part began."""
    requests: Mapped[int] = mapped_column(server_default="0")
    """How many requests to the model the process may have in flight."""
    reserved_usd: Mapped[Decimal] = mapped_column(Numeric(12, 8), server_default="0")
    """What its chats may cost that is not in the database yet."""
    graded: Mapped[int] = mapped_column(server_default="0")
    skipped: Mapped[int] = mapped_column(server_default="0")
    failed: Mapped[int] = mapped_column(server_default="0")
    lease_until: Mapped[datetime]
    joined_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
