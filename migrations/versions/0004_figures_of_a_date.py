"""A date has one set of figures, whatever number of mails."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0004"
down_revision: str | Sequence[str] | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("digests", sa.Column("day_figures", postgresql.JSONB(none_as_null=True), nullable=True))
    op.execute("UPDATE digests SET figures = figures - 'waiting_buyers_total'")  # they are all named, and so counted
    op.drop_column("accounts", "sync_error")  # nobody read it: runs say why a sync failed


def downgrade() -> None:
    op.add_column("accounts", sa.Column("sync_error", sa.Text(), nullable=True))
    op.execute(
        "UPDATE digests SET figures = figures || jsonb_build_object('waiting_buyers_total', jsonb_array_length(figures -> 'waiting_buyers'))"
    )
    op.drop_column("digests", "day_figures")
