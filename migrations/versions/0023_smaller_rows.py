"""Remove what only earlier releases needed, and keep updates of chats in their pages."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from app.database.table_locks import lock_tables
from app.repositories.exchange_packing import ExchangeTexts, pack_texts

revision: str = "0023"
down_revision: str | Sequence[str] | None = "0022"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_LOCKED = ("model_exchanges", "reports", "chats", "runs", "digests", "deliveries", "reviews")
"""What this migration and the next one change: both are in one transaction."""


def upgrade() -> None:
    _pack_exchanges()
    lock_tables(op.get_bind(), *_LOCKED)
    op.drop_table("model_exchanges")
    _create_empty_view()
    for table, names in (
        ("chats", ("waiting_since", "outcome_reason")),
        ("digests", ("whole_figures", "whole_day_figures")),
    ):
        for name in names:
            op.drop_column(table, name)
    _index_recent_chats()


def _index_recent_chats() -> None:
    """Index a column that a reading of a chat does not change."""
    op.drop_index("ix_chats_deletable", table_name="chats")
    condition = "messages_read_at - last_message_at < interval '3900 s'"
    op.add_column(
        "chats",
        sa.Column(
            "may_lose_messages", sa.Boolean(), sa.Computed(condition, persisted=True), nullable=True
        ),
    )
    op.create_index(
        "ix_chats_deletable",
        "chats",
        ["account_id"],
        postgresql_where=sa.text("may_lose_messages AND read_error IS NULL"),
    )


def _pack_exchanges() -> None:
    """Move the exchanges of earlier releases to the packed ones, a thousand at a time.

    The questions of the first releases have only the bounds of their messages, which were all
    messages between them except Avito's own.
    """
    connection = op.get_bind()
    select = sa.text(
        """
        SELECT exchange.*, CASE WHEN question::jsonb ? 'messages' THEN NULL ELSE (
            SELECT array_agg(one.id ORDER BY one.sent_at, one.id)
            FROM messages AS first, messages AS last, messages AS one
            WHERE first.id = first_message_id AND last.id = last_message_id
              AND one.chat_id = first.chat_id AND one.side <> 'system'
              AND (one.sent_at, one.id) BETWEEN (first.sent_at, first.id)
                                            AND (last.sent_at, last.id)) END AS window_ids
        FROM model_exchanges AS exchange WHERE id > :last ORDER BY id LIMIT 1000
        """
    )
    insert = sa.text(
        """
        INSERT INTO packed_exchanges (
            report_id, chat_id, run_id, asked_at, purpose, prompt_version, content)
        VALUES (:report_id, :chat_id, :run_id, :asked_at, :purpose, :prompt_version, :content)
        """
    )
    last = 0
    while rows := connection.execute(select, {"last": last}).mappings().all():
        connection.execute(insert, [{**row, "content": _pack_row(row)} for row in rows])
        last = rows[-1]["id"]


def _pack_row(row: sa.RowMapping) -> bytes:
    question = row["question"]
    if row["window_ids"] is not None:
        question = {**question, "messages": row["window_ids"]}
    return pack_texts(
        ExchangeTexts(question, row["parameters"], row["request_sha256"], row["answer"])
    )


def _create_empty_view() -> None:
    """A process of the release before looks for exchanges there."""
    op.execute(
        """
        CREATE VIEW model_exchanges AS
        SELECT id, report_id, chat_id, run_id, purpose, asked_at, prompt_version,
               NULL::bigint AS first_message_id, NULL::bigint AS last_message_id,
               NULL::json AS question, '' AS parameters, '' AS request_sha256, '' AS answer
        FROM packed_exchanges WHERE false
        """
    )


def downgrade() -> None:
    op.drop_index("ix_chats_deletable", table_name="chats")
    op.drop_column("chats", "may_lose_messages")
    op.create_index(
        "ix_chats_deletable",
        "chats",
        ["account_id"],
        postgresql_where=sa.text(
            "NOT messages_due AND read_error IS NULL"
            " AND messages_read_at - last_message_at < interval '3900 s'"
        ),
    )
    for name in ("whole_figures", "whole_day_figures"):
        op.add_column("digests", sa.Column(name, postgresql.JSONB(none_as_null=True), nullable=True))
    op.add_column("chats", sa.Column("outcome_reason", sa.Text(), nullable=True))
    op.add_column("chats", sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True))
    op.execute("DROP VIEW model_exchanges")
    context.script.get_revision("0011").module.create_model_exchanges()
