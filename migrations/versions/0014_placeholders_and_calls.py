"""Leads without a message; stored placeholders and the times since which buyers wait, corrected.

Placeholder texts stored as words of people become messages without text. In chats with calls, a
completed call ends a wait, and a missed call of the company does not. The rules are copies of those
in ``app.domain.placeholders`` and ``app.repositories.message_conditions`` at this revision.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | Sequence[str] | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_PREFIX = r"^\s*(\[Системное\s+сообщение\])?\s*"
_DELETED = rf"{_PREFIX}Сообщение\s+удалено\s*\.?\s*$"
_UNSUPPORTED = (
    rf"{_PREFIX}Сообщение\s+не\s+поддерживается\.\s+Пожалуйста,\s+перейдите\s+в\s+Авито\s+мессенджер"
    r"\s*\.?\s*$"
)
_LEAD = rf"{_PREFIX}Пользователь\s+создал\s+чат,\s+но\s+пока\s+ничего\s+не\s+написал\s*\.?\s*$"
_STATUS = "lower(coalesce(content #>> '{call,status}', content #>> '{appCall,status}'))"
_IS_CALL = "type IN ('call', 'appCall')"
_BEGINS = f"side = 'client' AND (NOT {_IS_CALL} OR {_STATUS} = 'missed')"
_ENDS = f"""
    (NOT {_IS_CALL} AND side = 'company') OR ({_IS_CALL} AND side <> 'system' AND {_STATUS} IN
        ('completed', 'answered', 'accepted', 'success', 'successful', 'finished'))
"""


def upgrade() -> None:
    op.add_column("chats", sa.Column("lead_message_id", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_chats_lead_message_id",
        "chats",
        ["lead_message_id"],
        postgresql_where=sa.text("lead_message_id IS NOT NULL"),
    )
    op.execute(
        f"""
        WITH notices AS (
            SELECT DISTINCT ON (chat_id) chat_id, id, sent_at FROM messages
            WHERE side = 'system' AND length(text) <= 200 AND text ~* '{_LEAD}'
            ORDER BY chat_id, sent_at DESC, id DESC
        )
        UPDATE chats SET lead_message_id = notices.id, due_since = notices.sent_at
        FROM notices
        WHERE chats.id = notices.chat_id AND chats.last_person_message_id IS NULL
        """
    )
    op.execute(
        f"""
        UPDATE messages SET type = 'deleted', text = '[сообщение удалено]', has_text = false,
                            deleted_at = coalesce(deleted_at, now())
        WHERE has_text AND length(text) <= 200 AND text ~* '{_DELETED}'
        """
    )
    op.execute(
        f"""
        UPDATE messages SET type = 'unsupported', text = '[сообщение видно только в мессенджере Авито]',
                            has_text = false
        WHERE has_text AND length(text) <= 200 AND text ~* '{_UNSUPPORTED}'
        """
    )
    op.execute(
        f"""
        WITH facts AS (
            SELECT chat_id, (
                SELECT min(asked.sent_at) FROM messages asked
                WHERE asked.chat_id = called.chat_id AND {_BEGINS} AND NOT EXISTS (
                    SELECT FROM (
                        SELECT sent_at, id FROM messages
                        WHERE chat_id = called.chat_id AND ({_ENDS})
                    ) answer WHERE (answer.sent_at, answer.id) > (asked.sent_at, asked.id))
            ) AS unanswered_since
            FROM (SELECT DISTINCT chat_id FROM messages WHERE {_IS_CALL}) called
        )
        UPDATE chats SET unanswered_since = facts.unanswered_since,
                         waiting_since = facts.unanswered_since
        FROM facts
        WHERE chats.id = facts.chat_id
          AND chats.unanswered_since IS DISTINCT FROM facts.unanswered_since
        """
    )


def downgrade() -> None:
    # The corrected rows stay: the release before reads them as well.
    op.execute("UPDATE chats SET due_since = NULL WHERE last_person_message_id IS NULL")
    op.drop_index("ix_chats_lead_message_id", table_name="chats")
    op.drop_column("chats", "lead_message_id")
