"""Runs: sync, analyze, mail and daily runs, requested by a client or scheduled."""

import uuid
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Numeric, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Numbered, one_of


class RunKind(StrEnum):
    """Kind of a run."""

    SYNC = "sync"
    ANALYZE = "analyze"
    MAIL = "mail"
    DAILY = "daily"


class RunState(StrEnum):
    """State of a run. ``merged``: a missed day that a later daily run covers."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    MERGED = "merged"


class Run(Numbered):
    """One run.

    The unique slot allows one daily run for a day in all replicas. The partial index allows one
    running run of a kind.
    """

    __tablename__ = "runs"
    __table_args__ = (
        UniqueConstraint("kind", "slot"),
        one_of("kind", RunKind),
        one_of("state", RunState),
        Index(
            "uq_runs_kind_running",
            "kind",
            unique=True,
            postgresql_where=text(f"state = '{RunState.RUNNING}'"),
        ),
        Index(
            "ix_runs_state",
            "state",
            postgresql_where=text(f"state IN ('{RunState.QUEUED}', '{RunState.RUNNING}')"),
        ),
        Index(
            "ix_runs_interrupted",
            "finished_at",
            postgresql_where=text(f"state = '{RunState.INTERRUPTED}'"),
        ),
        Index("ix_runs_parent_id", "parent_id"),
        Index("ix_runs_kind_id", "kind", "id"),
        Index("ix_runs_created_at", "created_at"),
        Index("ix_runs_started_at", "started_at"),
    )

    kind: Mapped[str]
    slot: Mapped[str | None]
    """The unique name of a scheduled run.

    It is the day or the start of a sync interval. None: a client requested the run.
    """
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id"))
    state: Mapped[str]
    params: Mapped[dict[str, Any]]
    figures: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    progress_done: Mapped[int] = mapped_column(server_default="0")
    progress_total: Mapped[int | None]
    lost_usd: Mapped[Decimal] = mapped_column(Numeric(12, 8), server_default="0")
    """The cost in USD of model calls of this run without a report."""
    problems: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    """What the run could not do, see ``app.services.problems``.

    None: it has not ended.
    """
    message: Mapped[str | None]
    """The result in one or two Russian sentences; the error if the run failed."""
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    lease_token: Mapped[uuid.UUID | None]
    help_token: Mapped[uuid.UUID | None]
    """Equal to ``lease_token`` while other processes may help with the run."""
    not_before: Mapped[datetime | None]
    """A queued run may not be claimed before this moment of the database's clock; None: at once."""
    returned_count: Mapped[int] = mapped_column(server_default="0")
    """How often the run was queued again because the database failed."""
