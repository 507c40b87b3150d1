"""Runs: every sync, grading, mailing and daily run, asked for by a person or due by the clock."""

import uuid
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Numbered, one_of


class RunKind(StrEnum):
    """What a run does."""

    SYNC = "sync"
    ANALYZE = "analyze"
    MAIL = "mail"
    DAILY = "daily"


class RunState(StrEnum):
    """Where a run stands. ``merged``: a missed day that a later day's run has taken over."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    MERGED = "merged"


class Run(Numbered):
    """One run. The unique slot makes a day's run one over all replicas; the partial index lets one
    run of a kind work at a time.
    """

    __tablename__ = "runs"
    __table_args__ = (
        UniqueConstraint("kind", "slot"),
        one_of("kind", RunKind),
        one_of("state", RunState),
        Index(
            "uq_runs_kind_running", "kind", unique=True, postgresql_where=text("state = 'running'")
        ),
        Index("ix_runs_state", "state", postgresql_where=text("state IN ('queued', 'running')")),
        Index("ix_runs_parent_id", "parent_id"),
    )

    kind: Mapped[str]
    slot: Mapped[str | None]
    """What makes a scheduled run the only one: the day, the start of a sync interval; None: a
    person asked for it.
    """
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id"))
    state: Mapped[str]
    params: Mapped[dict[str, Any]]
    figures: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    progress_done: Mapped[int] = mapped_column(server_default="0")
    progress_total: Mapped[int | None]
    lost_usd: Mapped[Decimal] = mapped_column(Numeric(12, 8), server_default="0")
    """What a grading run has spent on chats that got no report for it."""
    message: Mapped[str | None]
    """What came of it, one Russian sentence or two; the error where it failed."""
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    lease_token: Mapped[uuid.UUID | None]
    not_before: Mapped[datetime | None]
    """A queued run may not be claimed before this moment of the database's clock; None: at once."""
    returned_count: Mapped[int] = mapped_column(server_default="0")
    """How often the run went back into the queue because the database failed."""
