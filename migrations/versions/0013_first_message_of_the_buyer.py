"""Reports have the time of the buyer's first message, and an index for lists sorted by score."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | Sequence[str] | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("reports", sa.Column("first_client_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_reports_score",
        "reports",
        ["score", "created_at", "id"],
        postgresql_where=sa.text("kind = 'grading'"),
    )


def downgrade() -> None:
    op.drop_index("ix_reports_score", table_name="reports")
    op.drop_column("reports", "first_client_at")
