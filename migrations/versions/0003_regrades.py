"""Regrades know the report that they are held against."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | Sequence[str] | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("reports", sa.Column("regrade_of_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_reports_regrade_of_id_reports"), "reports", "reports", ["regrade_of_id"], ["id"])
    op.create_index(
        "ix_reports_regrade_of_id", "reports", ["regrade_of_id"], postgresql_where=sa.text("regrade_of_id IS NOT NULL")
    )


def downgrade() -> None:
    op.drop_index("ix_reports_regrade_of_id", table_name="reports")
    op.drop_constraint(op.f("fk_reports_regrade_of_id_reports"), "reports", type_="foreignkey")
    op.drop_column("reports", "regrade_of_id")
