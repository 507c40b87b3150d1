"""Store causes of outcomes and problems of runs as codes; name the unanswered buyer's column so.

The columns ``chats.outcome_reason`` and ``chats.waiting_since`` stay for processes of the release
before. Both releases write them; triggers copy what a process of either release has changed. The
next release drops the columns, the triggers and their functions.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0008"
down_revision: str | Sequence[str] | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Known: the codes of skipped chats, and the beginnings of three sentences.
_CODE = """
    CASE WHEN {row}outcome = 'skipped' THEN {row}outcome_reason
         WHEN {row}outcome_reason = 'срок дня вышел' THEN 'deadline_passed'
         WHEN {row}outcome_reason LIKE 'остатка дневного бюджета DeepSeek не хватает%' THEN 'budget_spent'
         WHEN {row}outcome_reason LIKE 'Фильтр DeepSeek не пропустил текст чата%' THEN 'model_refused'
         WHEN {row}outcome_reason LIKE 'Ответ модели дважды не подошёл%' THEN 'answer_unusable' END
"""
_DETAIL = """
    CASE WHEN {row}outcome = 'skipped' OR {row}outcome_reason = 'срок дня вышел' THEN NULL
         ELSE {row}outcome_reason END
"""


def upgrade() -> None:
    op.add_column("chats", sa.Column("unanswered_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("chats", sa.Column("outcome_code", sa.Text(), nullable=True))
    op.add_column("chats", sa.Column("outcome_detail", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("problems", postgresql.JSONB(none_as_null=True), nullable=True))
    op.execute(
        f"""
        UPDATE chats SET unanswered_since = waiting_since, outcome_code = {_CODE.format(row="")},
                         outcome_detail = {_DETAIL.format(row="")}
        WHERE waiting_since IS NOT NULL OR outcome_reason IS NOT NULL
        """
    )
    create_triggers()


def create_triggers() -> None:
    op.execute(
        """
        CREATE FUNCTION previous_release_copy_unanswered_since() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.waiting_since IS DISTINCT FROM OLD.waiting_since THEN
                NEW.unanswered_since := NEW.waiting_since;
            ELSE
                NEW.waiting_since := NEW.unanswered_since;
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER previous_release_copy_unanswered_since
        BEFORE UPDATE OF waiting_since, unanswered_since ON chats FOR EACH ROW
        WHEN (NEW.waiting_since IS DISTINCT FROM NEW.unanswered_since)
        EXECUTE FUNCTION previous_release_copy_unanswered_since()
        """
    )
    op.execute(
        f"""
        CREATE FUNCTION previous_release_copy_outcome_reason() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.outcome_code := {_CODE.format(row="NEW.")};
            NEW.outcome_detail := {_DETAIL.format(row="NEW.")};
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER previous_release_copy_outcome_reason
        BEFORE UPDATE OF outcome_reason ON chats FOR EACH ROW
        WHEN (NEW.outcome_reason IS DISTINCT FROM OLD.outcome_reason
              AND NEW.outcome_code IS NOT DISTINCT FROM OLD.outcome_code
              AND NEW.outcome_detail IS NOT DISTINCT FROM OLD.outcome_detail)
        EXECUTE FUNCTION previous_release_copy_outcome_reason()
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER previous_release_copy_outcome_reason ON chats")
    op.execute("DROP TRIGGER previous_release_copy_unanswered_since ON chats")
    op.execute("DROP FUNCTION previous_release_copy_outcome_reason()")
    op.execute("DROP FUNCTION previous_release_copy_unanswered_since()")
    op.drop_column("runs", "problems")
    op.drop_column("chats", "outcome_detail")
    op.drop_column("chats", "outcome_code")
    op.drop_column("chats", "unanswered_since")
