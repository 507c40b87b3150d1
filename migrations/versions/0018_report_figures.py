"""What the figures of a period count of a report, in a narrow table that a trigger writes.

The table is filled before the trigger is created, which locks out other writers of reports. Then
only the reports that they have written meanwhile are added, so they wait for a moment.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0018"
down_revision: str | Sequence[str] | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_SELECT = """
    SELECT {row}.id, {row}.created_at, {row}.chat_id, {row}.account_id,
           coalesce({row}.first_client_at, (
               SELECT asked.sent_at FROM messages AS asked
               JOIN messages AS first ON first.id = {row}.first_message_id
               WHERE asked.chat_id = {row}.chat_id AND asked.side = 'client'
                 AND asked.sent_at >= first.sent_at
               ORDER BY asked.sent_at LIMIT 1)),
           CAST(part.answer_times->>'first_answer_seconds' AS integer),
           CASE WHEN part.flags ? 'addresses_grader' THEN 1 ELSE 0 END
           + CASE WHEN part.flags ? 'no_evidence' THEN 2 ELSE 0 END
           + CASE WHEN part.flags ? 'critical' THEN 4 ELSE 0 END
           + CASE WHEN part.flags ? 'contradiction' THEN 8 ELSE 0 END
           + CASE WHEN part.contact IS NOT NULL THEN 16 ELSE 0 END
           + CASE WHEN jsonb_typeof(part.contact) = 'object' THEN 32 ELSE 0 END
           + CASE WHEN part.bot_first IS NOT NULL THEN 64 ELSE 0 END
           + CASE WHEN part.bot_first = 'true' THEN 128 ELSE 0 END,
           coalesce(array_position(grade.ranks, {row}.tonality_grade), 0)
           + 4 * coalesce(array_position(grade.ranks, {row}.professionalism_grade), 0)
           + 16 * coalesce(array_position(grade.ranks, {row}.clarity_grade), 0)
           + 64 * coalesce(array_position(grade.ranks, {row}.problem_solving_grade), 0)
           + 256 * coalesce(array_position(grade.ranks, {row}.objection_handling_grade), 0)
           + 1024 * coalesce(array_position(grade.ranks, {row}.closure_grade), 0),
           {row}.score, {row}.cost_usd, {row}.model, {row}.prompt_version,
           repeated.names, repeated.flipped
    FROM {source}(SELECT {row}.detail->'flags', {row}.detail->'answer_times',
                  {row}.detail->'contact', {row}.detail->'bot_first'
          OFFSET 0) AS part(flags, answer_times, contact, bot_first),
         (SELECT CAST(ARRAY['Низкая', 'Средняя', 'Высокая'] AS text[])) AS grade(ranks),
         LATERAL (
             SELECT array_agg(kind.key || '/' || pair.key ORDER BY kind.key, pair.key),
                    array_agg(kind.key || '/' || pair.key)
                        FILTER (WHERE pair.value->>0 <> pair.value->>1)
             FROM jsonb_each({row}.repeat) AS kind, jsonb_each(kind.value) AS pair
             WHERE kind.key IN ('criteria', 'checks')) AS repeated(names, flipped)
    WHERE {row}.kind = 'grading'"""
_FUNCTION = f"""
    CREATE FUNCTION write_report_figures() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM report_figures WHERE report_id = NEW.id;
    END IF;
    INSERT INTO report_figures
    {_SELECT.strip().format(row="NEW", source="")};
    RETURN NULL;
    END $$
"""
_TRIGGER = """
    CREATE TRIGGER write_report_figures
    AFTER INSERT OR UPDATE OF kind, chat_id, account_id, created_at, tonality_grade,
        professionalism_grade, clarity_grade, problem_solving_grade, objection_handling_grade,
        closure_grade, score, detail, first_client_at, first_message_id, model, prompt_version,
        cost_usd, repeat
    ON reports FOR EACH ROW EXECUTE FUNCTION write_report_figures()
"""
_FILL = f"""
    INSERT INTO report_figures
    {_SELECT.format(row="reports", source="reports, LATERAL ")}
      AND NOT EXISTS (SELECT FROM report_figures WHERE report_id = reports.id)
    ORDER BY reports.created_at
"""


def upgrade() -> None:
    op.create_table(
        "report_figures",
        sa.Column("report_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("first_client_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_answer_seconds", sa.Integer(), nullable=True),
        sa.Column("marks", sa.SmallInteger(), nullable=False),
        sa.Column("grades", sa.SmallInteger(), nullable=False),
        sa.Column("score", sa.Numeric(precision=5, scale=2), nullable=False),
        sa.Column("cost_usd", sa.Numeric(precision=12, scale=8), nullable=True),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("prompt_version", sa.Text(), nullable=False),
        sa.Column("repeated", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("flipped", postgresql.ARRAY(sa.Text()), nullable=True),
    )
    op.execute(_FILL)
    op.execute("ANALYZE report_figures")
    op.execute(_FUNCTION)
    op.execute(_TRIGGER)
    op.execute(_FILL)
    op.create_primary_key(op.f("pk_report_figures"), "report_figures", ["report_id"])
    op.create_index("ix_report_figures_created_at", "report_figures", ["created_at"])
    op.create_index(
        "ix_report_figures_repeated",
        "report_figures",
        ["created_at"],
        postgresql_where=sa.text("repeated IS NOT NULL"),
    )
    op.create_index("ix_chats_listing", "chats", ["id"], postgresql_include=["item_id"])
    op.create_foreign_key(
        op.f("fk_report_figures_report_id_reports"),
        "report_figures",
        "reports",
        ["report_id"],
        ["id"],
        ondelete="CASCADE",
    )


def downgrade() -> None:
    op.drop_index("ix_chats_listing", table_name="chats")
    op.execute("DROP TRIGGER write_report_figures ON reports")
    op.execute("DROP FUNCTION write_report_figures()")
    op.drop_table("report_figures")
