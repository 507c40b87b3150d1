"""Store which daily mail covers a date."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | Sequence[str] | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "covered_dates",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("digest_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["digest_id"], ["digests.id"], name=op.f("fk_covered_dates_digest_id_digests")),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_covered_dates")),
    )
    op.create_index("ix_covered_dates_digest_id", "covered_dates", ["digest_id"])
    # The dates that a mail names, then those between two mails that no mail named: the next mail carried their reports.
    op.execute(
        """
        INSERT INTO covered_dates (day, digest_id)
        SELECT CAST(covered.day AS date), digest.id
        FROM digests digest, jsonb_array_elements_text(
            coalesce(digest.figures -> 'covered_days', '[]') || to_jsonb(digest.day::text)) AS covered (day)
        WHERE digest.kind = 'daily' ORDER BY digest.id
        ON CONFLICT DO NOTHING
        """
    )
    op.execute(
        """
        INSERT INTO covered_dates (day, digest_id)
        SELECT missed.day::date, following.id
        FROM generate_series((SELECT min(slot)::date FROM runs WHERE kind = 'daily'), (SELECT max(day) FROM digests WHERE kind = 'daily'),
                             interval '1 day') AS missed (day),
             LATERAL (SELECT id FROM digests WHERE kind = 'daily' AND day >= missed.day::date ORDER BY day LIMIT 1) AS following
        ON CONFLICT DO NOTHING
        """
    )


def downgrade() -> None:
    op.drop_table("covered_dates")
