"""The figures of a mail with the fields that the release before refuses."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0012"
down_revision: str | Sequence[str] | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    for name in ("whole_figures", "whole_day_figures"):
        column = sa.Column(name, postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True)
        op.add_column("digests", column)


def downgrade() -> None:
    for name in ("whole_day_figures", "whole_figures"):
        op.drop_column("digests", name)
