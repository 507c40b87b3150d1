"""Indexes and a kept number, so that frequent work does not read the whole history."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0017"
down_revision: str | Sequence[str] | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column(
        "accounts", sa.Column("chats_read", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.execute(
        """
        UPDATE accounts SET chats_read = (
            SELECT count(*) FROM chats
            WHERE account_id = accounts.id AND messages_read_at IS NOT NULL)
        """
    )
    op.create_index("ix_runs_kind_id", "runs", ["kind", "id"])
    op.create_index("ix_runs_started_at", "runs", ["started_at"])
    op.create_index(
        "ix_reports_cost", "reports", ["created_at"], postgresql_include=["cost_usd"]
    )
    op.create_index("ix_chats_outcome_run_id", "chats", ["outcome_run_id"])
    op.create_index(
        "ix_chats_incomplete",
        "chats",
        ["account_id"],
        postgresql_where=sa.text("NOT history_complete"),
    )
    op.create_index(
        "ix_chats_deletable",
        "chats",
        ["account_id"],
        postgresql_where=sa.text(
            "NOT messages_due AND read_error IS NULL"
            " AND messages_read_at - last_message_at < interval '3900 s'"
        ),
    )


def downgrade() -> None:
    for name, table in (
        ("ix_chats_deletable", "chats"),
        ("ix_chats_incomplete", "chats"),
        ("ix_chats_outcome_run_id", "chats"),
        ("ix_reports_cost", "reports"),
        ("ix_runs_started_at", "runs"),
        ("ix_runs_kind_id", "runs"),
    ):
        op.drop_index(name, table_name=table)
    op.drop_column("accounts", "chats_read")
