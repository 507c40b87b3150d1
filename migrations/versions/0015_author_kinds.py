"""Kinds of the authors of the company's messages, and the templates by which they are decided.

Stored messages have no kind yet. The next sync decides them in batches.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0015"
down_revision: str | Sequence[str] | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    for name in ("author_kind", "author_reason"):
        op.add_column("messages", sa.Column(name, sa.Text(), nullable=True))
    op.create_index(
        "ix_messages_undecided",
        "messages",
        ["chat_id"],
        postgresql_where=sa.text("side = 'company' AND author_kind IS NULL"),
    )
    op.add_column("accounts", sa.Column("listed_replies", sa.Text(), nullable=True))
    op.create_table(
        "reply_templates",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("chats", sa.BigInteger(), nullable=False),
        sa.Column("fastest", sa.BigInteger(), nullable=True),
        sa.Column("slowest", sa.BigInteger(), nullable=True),
        sa.Column("first", sa.BigInteger(), nullable=True),
        sa.Column("last", sa.BigInteger(), nullable=True),
        sa.Column("is_applied", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_reply_templates_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_reply_templates")),
    )
    op.create_index(
        "ix_reply_templates_unapplied",
        "reply_templates",
        ["account_id"],
        postgresql_where=sa.text("NOT is_applied"),
    )
    op.create_table(
        "reply_uses",
        sa.Column("message_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.BigInteger(), nullable=False),
        sa.Column("gap_seconds", sa.BigInteger(), nullable=True),
        sa.Column("wait_seconds", sa.BigInteger(), nullable=True),
        sa.Column("is_opening", sa.Boolean(), nullable=False),
        sa.Column("is_listed", sa.Boolean(), nullable=False),
        sa.Column("characters", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_reply_uses_message_id_messages")
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_reply_uses")),
    )
    op.create_index("ix_reply_uses_key_message_id", "reply_uses", ["key", "message_id"])


def downgrade() -> None:
    op.drop_table("reply_uses")
    op.drop_table("reply_templates")
    op.drop_column("accounts", "listed_replies")
    op.drop_index("ix_messages_undecided", table_name="messages")
    for name in ("author_reason", "author_kind"):
        op.drop_column("messages", name)
