"""Remove what earlier releases needed."""

from collections.abc import Sequence

from alembic import context, op

revision: str = "0019"
down_revision: str | Sequence[str] | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_TRIGGERS = ("previous_release_copy_outcome_reason", "previous_release_copy_unanswered_since")


def upgrade() -> None:
    for name in _TRIGGERS:
        op.execute(f"DROP TRIGGER {name} ON chats")
        op.execute(f"DROP FUNCTION {name}()")
    _move_figures()
    _move_flags_and_objections()


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
