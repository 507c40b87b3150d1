"""Reviews."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0002"
down_revision: str | Sequence[str] | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "reviews",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("report_id", sa.BigInteger(), nullable=False),
        sa.Column("given", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("reviewer", sa.Text(), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("tonality_grade", sa.Text(), nullable=False),
        sa.Column("professionalism_grade", sa.Text(), nullable=False),
        sa.Column("clarity_grade", sa.Text(), nullable=False),
        sa.Column("problem_solving_grade", sa.Text(), nullable=False),
        sa.Column("objection_handling_grade", sa.Text(), nullable=False),
        sa.Column("closure_grade", sa.Text(), nullable=False),
        sa.Column("score", sa.Numeric(precision=5, scale=2), nullable=False),
        sa.ForeignKeyConstraint(["report_id"], ["reports.id"], name=op.f("fk_reviews_report_id_reports"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
    )
    op.create_index("ix_reviews_report_id", "reviews", ["report_id"], unique=False)
    op.create_index(
        "uq_reviews_report_id_in_force", "reviews", ["report_id"], unique=True, postgresql_where=sa.text("ended_at IS NULL")
    )


def downgrade() -> None:
    op.drop_index("uq_reviews_report_id_in_force", table_name="reviews", postgresql_where=sa.text("ended_at IS NULL"))
    op.drop_index("ix_reviews_report_id", table_name="reviews")
    op.drop_table("reviews")
