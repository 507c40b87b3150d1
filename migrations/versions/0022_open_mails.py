"""Indexes of the mails that have not arrived yet: no mail reads all mails before it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0022"
down_revision: str | Sequence[str] | None = "0021"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index(
        "ix_digests_unsent",
        "digests",
        ["id"],
        postgresql_where=sa.text("first_sent_at IS NULL"),
    )
    op.create_index(
        "ix_digests_with_mime", "digests", ["id"], postgresql_where=sa.text("mime IS NOT NULL")
    )


def downgrade() -> None:
    op.drop_index("ix_digests_with_mime", table_name="digests")
    op.drop_index("ix_digests_unsent", table_name="digests")
