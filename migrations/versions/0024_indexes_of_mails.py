"""Indexes of mails, failed deliveries, left-over chats and runs: no work reads the whole history."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0024"
down_revision: str | Sequence[str] | None = "0023"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_LEFT_OVER = "due_since IS NOT NULL AND outcome IN ('failed', 'waiting')"


def upgrade() -> None:
    op.create_index("ix_runs_created_at", "runs", ["created_at"])
    op.create_index(
        "ix_runs_interrupted",
        "runs",
        ["finished_at"],
        postgresql_where=sa.text("state = 'interrupted'"),
    )
    op.create_index(
        "ix_digests_first_sent_run_id",
        "digests",
        ["first_sent_run_id"],
        postgresql_where=sa.text("first_sent_run_id IS NOT NULL"),
    )
    op.create_index(
        "ix_deliveries_failed",
        "deliveries",
        ["named_in_digest_id"],
        postgresql_where=sa.text("state = 'failed'"),
    )
    op.create_index(
        "ix_reviews_blind", "reviews", ["reviewed_at"], postgresql_where=sa.text("blind")
    )
    op.create_index("ix_chats_created_at", "chats", ["account_id", "avito_created_at"])
    op.create_index(
        "ix_chats_left_over", "chats", ["due_since"], postgresql_where=sa.text(_LEFT_OVER)
    )
    op.create_index(
        "ix_chats_leads",
        "chats",
        ["last_message_at"],
        postgresql_where=sa.text("lead_message_id IS NOT NULL"),
    )
    op.drop_index("ix_chats_lead_message_id", table_name="chats")


def downgrade() -> None:
    op.create_index(
        "ix_chats_lead_message_id",
        "chats",
        ["lead_message_id"],
        postgresql_where=sa.text("lead_message_id IS NOT NULL"),
    )
    for name, table in (
        ("ix_chats_leads", "chats"),
        ("ix_chats_left_over", "chats"),
        ("ix_chats_created_at", "chats"),
        ("ix_reviews_blind", "reviews"),
        ("ix_deliveries_failed", "deliveries"),
        ("ix_digests_first_sent_run_id", "digests"),
        ("ix_runs_interrupted", "runs"),
        ("ix_runs_created_at", "runs"),
    ):
        op.drop_index(name, table_name=table)
