"""The state of the full pass over the chats of an account, which takes several days."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0020"
down_revision: str | Sequence[str] | None = "0019"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("accounts", sa.Column("self_read_at", _MOMENT))
    op.add_column("accounts", sa.Column("full_pass_due_at", _MOMENT))
    op.add_column("accounts", sa.Column("full_pass_position", sa.BigInteger()))
    for name in ("full_pass_pages", "full_pass_cut_short"):
        op.add_column(
            "accounts", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)
        )
    op.create_index("ix_chats_account_id_item_id", "chats", ["account_id", "item_id"])


def downgrade() -> None:
    op.drop_index("ix_chats_account_id_item_id", table_name="chats")
    for name in (
        "full_pass_cut_short",
        "full_pass_pages",
        "full_pass_position",
        "full_pass_due_at",
        "self_read_at",
    ):
        op.drop_column("accounts", name)
