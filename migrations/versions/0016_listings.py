"""Listings of the accounts, and the text of COMPANY_FACTS_FILE with each prompt."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | Sequence[str] | None = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "listings",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("price", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_listings_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listings")),
        sa.UniqueConstraint("account_id", "item_id", name=op.f("uq_listings_account_id_item_id")),
    )
    op.add_column("accounts", sa.Column("listings_page", sa.BigInteger(), nullable=True))
    op.add_column(
        "accounts", sa.Column("listings_read_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column(
        "chats",
        sa.Column(
            "item_earlier_prices", sa.ARRAY(sa.Text()), server_default="{}", nullable=False
        ),
    )
    op.add_column("prompts", sa.Column("facts", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("prompts", "facts")
    op.drop_column("chats", "item_earlier_prices")
    op.drop_column("accounts", "listings_read_at")
    op.drop_column("accounts", "listings_page")
    op.drop_table("listings")
