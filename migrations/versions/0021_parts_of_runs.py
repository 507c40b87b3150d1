"""Parts of grading runs, and paces of requests that all processes share."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0021"
down_revision: str | Sequence[str] | None = "0020"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("help_token", sa.Uuid(), nullable=True))
    op.create_table(
        "run_parts",
        sa.Column("token", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("holder_token", sa.Uuid(), nullable=False),
        sa.Column("requests", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reserved_usd", sa.Numeric(12, 8), server_default="0", nullable=False),
        sa.Column("graded", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("skipped", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "joined_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_parts_run_id_runs"),
        sa.PrimaryKeyConstraint("token", name="pk_run_parts"),
    )
    op.create_table(
        "request_paces",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_request_paces"),
    )


def downgrade() -> None:
    op.drop_table("request_paces")
    op.drop_table("run_parts")
    op.drop_column("runs", "help_token")
