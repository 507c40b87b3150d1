"""Each attempt at a delivery claims it under a token of its own."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | Sequence[str] | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("claim_token", sa.Uuid(), nullable=True))
    op.add_column("deliveries", sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("deliveries", sa.Column("claim_backend", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("deliveries", "claim_backend")
    op.drop_column("deliveries", "claimed_until")
    op.drop_column("deliveries", "claim_token")
