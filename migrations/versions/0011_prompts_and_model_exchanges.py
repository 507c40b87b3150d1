"""Prompts and the model's answers are kept, so that a grading can be rebuilt and shown."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0011"
down_revision: str | Sequence[str] | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "prompts",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("rubric", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("first_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_prompts")),
    )
    create_model_exchanges()
    op.add_column("reports", sa.Column("repeat", postgresql.JSONB(none_as_null=True), nullable=True))
    op.create_index(
        "ix_reports_repeated", "reports", ["created_at"], postgresql_where=sa.text("repeat IS NOT NULL")
    )


def create_model_exchanges() -> None:
    op.create_table(
        "model_exchanges",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("report_id", sa.BigInteger(), nullable=True),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("prompt_version", sa.Text(), nullable=False),
        sa.Column("first_message_id", sa.BigInteger(), nullable=False),
        sa.Column("last_message_id", sa.BigInteger(), nullable=False),
        sa.Column("question", sa.JSON(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("request_sha256", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.CheckConstraint("purpose IN ('grading', 'repeat')", name=op.f("ck_model_exchanges_purpose")),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], name=op.f("fk_model_exchanges_chat_id_chats")),
        sa.ForeignKeyConstraint(
            ["report_id"], ["reports.id"], name=op.f("fk_model_exchanges_report_id_reports"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_model_exchanges_run_id_runs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_exchanges")),
    )
    op.create_index("ix_model_exchanges_chat_id", "model_exchanges", ["chat_id"])
    op.create_index("ix_model_exchanges_report_id", "model_exchanges", ["report_id"])


def downgrade() -> None:
    op.drop_index("ix_reports_repeated", table_name="reports")
    op.drop_column("reports", "repeat")
    op.drop_table("model_exchanges")
    op.drop_table("prompts")
