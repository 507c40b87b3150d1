"""First tables."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0001"
down_revision: str | Sequence[str] | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("avito_user_id", sa.BigInteger(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("listed_up_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fully_listed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lists_cut_short", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sync_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("avito_user_id", name=op.f("uq_accounts_avito_user_id")),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=True),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("params", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("figures", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("progress_done", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("progress_total", sa.BigInteger(), nullable=True),
        sa.Column("lost_usd", sa.Numeric(precision=12, scale=8), server_default="0", nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.CheckConstraint("kind IN ('sync', 'analyze', 'mail', 'daily')", name=op.f("ck_runs_kind")),
        sa.CheckConstraint("state IN ('queued', 'running', 'done', 'failed', 'interrupted', 'merged')", name=op.f("ck_runs_state")),
        sa.ForeignKeyConstraint(["parent_id"], ["runs.id"], name=op.f("fk_runs_parent_id_runs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
        sa.UniqueConstraint("kind", "slot", name=op.f("uq_runs_kind_slot")),
    )
    op.create_index("ix_runs_parent_id", "runs", ["parent_id"], unique=False)
    op.create_index("ix_runs_state", "runs", ["state"], unique=False, postgresql_where=sa.text("state IN ('queued', 'running')"))
    op.create_index("uq_runs_kind_running", "runs", ["kind"], unique=True, postgresql_where=sa.text("state = 'running'"))
    op.create_table(
        "chats",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("avito_id", sa.Text(), nullable=False),
        sa.Column("chat_type", sa.Text(), nullable=True),
        sa.Column("item_id", sa.BigInteger(), nullable=True),
        sa.Column("item_title", sa.Text(), nullable=True),
        sa.Column("item_url", sa.Text(), nullable=True),
        sa.Column("item_price", sa.Text(), nullable=True),
        sa.Column("client_id", sa.BigInteger(), nullable=True),
        sa.Column("client_name", sa.Text(), nullable=True),
        sa.Column("avito_created_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("avito_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("listed_message_id", sa.Text(), nullable=True),
        sa.Column("messages_due", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("hints", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("messages_read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("history_complete", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("read_error", sa.Text(), nullable=True),
        sa.Column("last_message_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_person_message_id", sa.BigInteger(), nullable=True),
        sa.Column("last_person_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_person_side", sa.Text(), nullable=True),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_message_id", sa.BigInteger(), nullable=True),
        sa.Column("due_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("outcome_reason", sa.Text(), nullable=True),
        sa.Column("outcome_message_id", sa.BigInteger(), nullable=True),
        sa.Column("outcome_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome_run_id", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("grading_token", sa.Uuid(), nullable=True),
        sa.CheckConstraint("outcome IN ('graded', 'skipped', 'failed', 'waiting')", name=op.f("ck_chats_outcome")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_chats_account_id_accounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chats")),
        sa.UniqueConstraint("account_id", "avito_id", name=op.f("uq_chats_account_id_avito_id")),
    )
    op.create_index("ix_chats_avito_id", "chats", ["avito_id"], unique=False)
    op.create_index("ix_chats_due_since", "chats", ["due_since"], unique=False, postgresql_where=sa.text("due_since IS NOT NULL"))
    op.create_index("ix_chats_last_person_at", "chats", ["last_person_at"], unique=False)
    op.create_index("ix_chats_messages_due", "chats", ["account_id"], unique=False, postgresql_where=sa.text("messages_due"))
    op.create_table(
        "digests",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=True),
        sa.Column("period_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("after_message_id", sa.BigInteger(), nullable=True),
        sa.Column("last_message_id", sa.BigInteger(), nullable=True),
        sa.Column("figures", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("reports_count", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("mime", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_sent_run_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('daily', 'supplement', 'resend')", name=op.f("ck_digests_kind")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_digests_run_id_runs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_digests")),
    )
    op.create_index("ix_digests_day", "digests", ["day"], unique=False)
    op.create_index("uq_digests_day_daily", "digests", ["day"], unique=True, postgresql_where=sa.text("kind = 'daily'"))
    op.create_index("uq_digests_run_id", "digests", ["run_id"], unique=True)
    op.create_table(
        "deliveries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("digest_id", sa.BigInteger(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("tries", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("refusals", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("first_tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("named_in_digest_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("state IN ('queued', 'sending', 'sent', 'failed')", name=op.f("ck_deliveries_state")),
        sa.ForeignKeyConstraint(["digest_id"], ["digests.id"], name=op.f("fk_deliveries_digest_id_digests")),
        sa.ForeignKeyConstraint(["named_in_digest_id"], ["digests.id"], name=op.f("fk_deliveries_named_in_digest_id_digests")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("digest_id", "recipient", name=op.f("uq_deliveries_digest_id_recipient")),
    )
    op.create_index(
        "ix_deliveries_open", "deliveries", ["next_try_at"], unique=False, postgresql_where=sa.text("state IN ('queued', 'sending')")
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("avito_id", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("has_text", sa.Boolean(), nullable=False),
        sa.Column("content", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("quote", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_read", sa.Boolean(), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], name=op.f("fk_messages_chat_id_chats")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("chat_id", "avito_id", name=op.f("uq_messages_chat_id_avito_id")),
    )
    op.create_index("ix_messages_chat_id_sent_at", "messages", ["chat_id", "sent_at"], unique=False)
    op.create_table(
        "reports",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), server_default="grading", nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("digest_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("tonality_grade", sa.Text(), nullable=False),
        sa.Column("professionalism_grade", sa.Text(), nullable=False),
        sa.Column("clarity_grade", sa.Text(), nullable=False),
        sa.Column("problem_solving_grade", sa.Text(), nullable=False),
        sa.Column("objection_handling_grade", sa.Text(), nullable=False),
        sa.Column("closure_grade", sa.Text(), nullable=False),
        sa.Column("score", sa.Numeric(precision=5, scale=2), nullable=False),
        sa.Column("detail", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("first_message_id", sa.BigInteger(), nullable=False),
        sa.Column("last_message_id", sa.BigInteger(), nullable=False),
        sa.Column("window_messages", sa.BigInteger(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=True),
        sa.Column("prompt_version", sa.Text(), nullable=False),
        sa.Column("prompt_hit_tokens", sa.BigInteger(), nullable=False),
        sa.Column("prompt_miss_tokens", sa.BigInteger(), nullable=False),
        sa.Column("completion_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_usd", sa.Numeric(precision=12, scale=8), nullable=True),
        sa.CheckConstraint("kind IN ('grading', 'regrade')", name=op.f("ck_reports_kind")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_reports_account_id_accounts")),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], name=op.f("fk_reports_chat_id_chats")),
        sa.ForeignKeyConstraint(["digest_id"], ["digests.id"], name=op.f("fk_reports_digest_id_digests")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_reports_run_id_runs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
    )
    op.create_index("ix_reports_chat_id", "reports", ["chat_id"], unique=False)
    op.create_index("ix_reports_created_at_id", "reports", ["created_at", "id"], unique=False, postgresql_where=sa.text("kind = 'grading'"))
    op.create_index("ix_reports_digest_id", "reports", ["digest_id"], unique=False)
    op.create_index("ix_reports_run_id", "reports", ["run_id"], unique=False)
    op.create_index(
        "ix_reports_unmailed", "reports", ["created_at"], unique=False, postgresql_where=sa.text("digest_id IS NULL AND kind = 'grading'")
    )


def downgrade() -> None:
    op.drop_index("ix_reports_unmailed", table_name="reports", postgresql_where=sa.text("digest_id IS NULL AND kind = 'grading'"))
    op.drop_index("ix_reports_run_id", table_name="reports")
    op.drop_index("ix_reports_digest_id", table_name="reports")
    op.drop_index("ix_reports_created_at_id", table_name="reports", postgresql_where=sa.text("kind = 'grading'"))
    op.drop_index("ix_reports_chat_id", table_name="reports")
    op.drop_table("reports")
    op.drop_index("ix_messages_chat_id_sent_at", table_name="messages")
    op.drop_table("messages")
    op.drop_index("ix_deliveries_open", table_name="deliveries", postgresql_where=sa.text("state IN ('queued', 'sending')"))
    op.drop_table("deliveries")
    op.drop_index("uq_digests_run_id", table_name="digests")
    op.drop_index("uq_digests_day_daily", table_name="digests", postgresql_where=sa.text("kind = 'daily'"))
    op.drop_index("ix_digests_day", table_name="digests")
    op.drop_table("digests")
    op.drop_index("ix_chats_messages_due", table_name="chats", postgresql_where=sa.text("messages_due"))
    op.drop_index("ix_chats_last_person_at", table_name="chats")
    op.drop_index("ix_chats_due_since", table_name="chats", postgresql_where=sa.text("due_since IS NOT NULL"))
    op.drop_index("ix_chats_avito_id", table_name="chats")
    op.drop_table("chats")
    op.drop_index("uq_runs_kind_running", table_name="runs", postgresql_where=sa.text("state = 'running'"))
    op.drop_index("ix_runs_state", table_name="runs", postgresql_where=sa.text("state IN ('queued', 'running')"))
    op.drop_index("ix_runs_parent_id", table_name="runs")
    op.drop_table("runs")
    op.drop_table("accounts")
