"""Store the owner of a chat's listing.

A process of the release before neither reads nor writes the column. The next list pass fills it.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | Sequence[str] | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("chats", sa.Column("item_owner_id", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("chats", "item_owner_id")
