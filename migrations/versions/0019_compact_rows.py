"""Pack the model exchanges, and remove what earlier releases needed."""

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import context, op

from app.repositories.exchange_packing import unpack_texts

revision: str = "0019"
down_revision: str | Sequence[str] | None = "0018"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_TRIGGERS = ("previous_release_copy_outcome_reason", "previous_release_copy_unanswered_since")


def upgrade() -> None:
    _create_packed_exchanges()
    _move_figures()
    _move_flags_and_objections()
    # From here on tables are locked.
    _store_bodies("MAIN")  # in the row, and compressed only if it does not fit otherwise
    op.execute("ALTER TABLE chats SET (fillfactor = 80)")  # room for new versions of the rows
    for name in _TRIGGERS:
        op.execute(f"DROP TRIGGER {name} ON chats")
        op.execute(f"DROP FUNCTION {name}()")


def _create_packed_exchanges() -> None:
    op.create_table(
        "packed_exchanges",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("report_id", sa.BigInteger(), nullable=True),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("prompt_version", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "purpose IN ('grading', 'repeat')", name=op.f("ck_packed_exchanges_purpose")
        ),
        sa.ForeignKeyConstraint(
            ["chat_id"], ["chats.id"], name=op.f("fk_packed_exchanges_chat_id_chats")
        ),
        sa.ForeignKeyConstraint(
            ["report_id"],
            ["reports.id"],
            name=op.f("fk_packed_exchanges_report_id_reports"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_packed_exchanges_run_id_runs")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_packed_exchanges")),
    )
    op.create_index("ix_packed_exchanges_report_id", "packed_exchanges", ["report_id"])
    op.create_index(
        "ix_packed_exchanges_failed",
        "packed_exchanges",
        ["chat_id"],
        postgresql_where=sa.text("report_id IS NULL"),
    )


def _store_bodies(storage: str) -> None:
    for table in ("reports", "reviews"):
        op.execute(f"ALTER TABLE {table} ALTER COLUMN body SET STORAGE {storage}")


def _move_figures() -> None:
    """Move complete figures to the columns that the release before reads where there are none."""
    op.execute(
        """
        UPDATE digests SET figures = coalesce(whole_figures, figures), whole_figures = NULL,
                           day_figures = coalesce(whole_day_figures, day_figures),
                           whole_day_figures = NULL
        WHERE whole_figures IS NOT NULL OR whole_day_figures IS NOT NULL
        """
    )


def _move_flags_and_objections() -> None:
    """Give the details of early reports the keys of later ones."""
    op.execute(
        """
        UPDATE reports SET detail = detail - 'new_flags' || jsonb_build_object(
            'flags', detail -> 'flags' || coalesce(detail -> 'new_flags', '[]'),
            'objections', coalesce(detail -> 'objections', CASE jsonb_typeof(detail -> 'objection')
                WHEN 'object' THEN jsonb_build_array(detail -> 'objection') ELSE '[]' END),
            'criteria', (
                SELECT jsonb_object_agg(name, verdict - 'new_flags' || jsonb_build_object(
                    'flags', verdict -> 'flags' || coalesce(verdict -> 'new_flags', '[]')))
                FROM jsonb_each(detail -> 'criteria') AS criterion (name, verdict)))
        WHERE NOT detail ? 'objections' OR detail ? 'new_flags'
           OR jsonb_path_exists(detail, '$.criteria.*.new_flags')
        """
    )


def downgrade() -> None:
    _unpack_exchanges()
    op.drop_table("packed_exchanges")
    _store_bodies("EXTENDED")
    op.execute("ALTER TABLE chats RESET (fillfactor)")
    _fill_columns()
    context.script.get_revision("0008").module.create_triggers()


def _fill_columns() -> None:
    op.execute(
        """
        UPDATE chats SET waiting_since = unanswered_since,
            outcome_reason = CASE outcome WHEN 'skipped' THEN outcome_code ELSE outcome_detail END
        WHERE unanswered_since IS NOT NULL OR outcome_code IS NOT NULL
        """
    )


def _unpack_exchanges() -> None:
    """Store the packed exchanges as the release before does, a thousand at a time."""
    connection = op.get_bind()
    select = sa.text("SELECT * FROM packed_exchanges WHERE id > :last ORDER BY id LIMIT 1000")
    insert = sa.text(
        """
        INSERT INTO model_exchanges (
            report_id, chat_id, run_id, asked_at, purpose, prompt_version, first_message_id,
            last_message_id, question, parameters, request_sha256, answer)
        VALUES (:report_id, :chat_id, :run_id, :asked_at, :purpose, :prompt_version, :first,
                :last, CAST(:question AS json), :parameters, :request_sha256, :answer)
        """
    )
    last = 0
    while rows := connection.execute(select, {"last": last}).mappings().all():
        connection.execute(insert, [_unpack_row(dict(row)) for row in rows])
        last = rows[-1]["id"]


def _unpack_row(row: dict[str, Any]) -> dict[str, Any]:
    texts = unpack_texts(row["content"])
    window = texts.question["messages"]
    question = json.dumps(texts.question, ensure_ascii=False)
    return {
        **row, **texts._asdict(), "question": question, "first": window[0], "last": window[-1]
    }
