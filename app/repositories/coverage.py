"""SQL of what became of the chats: who was graded and who not, who waits for an answer, what Avito
does not give.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Result, RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

Row = RowMapping


STATUS = """
    CASE WHEN due_since IS NULL THEN outcome
         WHEN outcome = 'failed' AND outcome_message_id = last_person_message_id THEN 'failed'
         ELSE 'waiting' END
"""
"""What has become of a chat so far, as mails count it: a chat with messages that no grading has
seen waits, whatever it came to before.
"""


# Every chat that counts in a mail, with what became of it. A message after :after_message_id was
# copied after the last mail was put together: it counts even if it was written before :start, but
# not before :late_since, so that an old account's import is no news.
_JUDGED = f"""
    SELECT chat.*, {STATUS} AS status
    FROM chats chat
    WHERE (chat.last_person_at >= CAST(:late_since AS timestamptz) AND EXISTS (
            SELECT FROM messages message
            WHERE message.chat_id = chat.id AND message.side <> 'system' AND message.sent_at < :end
              AND (message.sent_at >= :start
                   OR (message.id > CAST(:after_message_id AS bigint) AND message.sent_at >= :late_since))))
       OR (chat.due_since IS NOT NULL AND chat.outcome IN ('failed', 'waiting'))
"""  # noqa: S608 - our own words


async def list_coverage(
    session: AsyncSession, digest_ids: Sequence[int], span: Mapping[str, Any]
) -> list[Row]:
    """What became of every chat in which a person wrote from ``start`` to ``end``, and of those
    left over, by status and reason.

    Rows (status, reason, chats, chats_reported, reports): the last two are the chats among them of
    which these mails carry a report, and how many reports of them. ``span``: ``start``, ``end``,
    ``after_message_id`` and ``late_since``.
    """
    statement = text(f"""
        SELECT status, CASE WHEN status = 'skipped' THEN outcome_reason END AS reason, count(*) AS chats,
               count(reports) AS chats_reported, coalesce(sum(reports), 0)::bigint AS reports
        FROM ({_JUDGED}) AS judged LEFT JOIN (
            SELECT chat_id, count(*) AS reports FROM reports WHERE digest_id = ANY(:digest_ids) GROUP BY 1
        ) AS carried ON carried.chat_id = judged.id
        GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2
        """)  # noqa: S608 - our own words
    return _rows(await session.execute(statement, {**span, "digest_ids": list(digest_ids)}))


async def list_ungraded(session: AsyncSession, span: Mapping[str, Any]) -> list[Row]:
    """The chats among them that have no grade: account, chat, status and why; the reason of an
    outcome gone by is none of today's.
    """
    statement = text(f"""
        SELECT account.name AS account, avito_id, item_title, client_name, status,
               CASE WHEN status = outcome THEN outcome_reason END AS reason
        FROM ({_JUDGED}) AS judged JOIN accounts account ON account.id = account_id
        WHERE status <> 'graded' ORDER BY status, reason, judged.id
        """)  # noqa: S608 - our own words
    return _rows(await session.execute(statement, dict(span)))


async def list_waiting_buyers(
    session: AsyncSession, *, since: datetime, until: datetime
) -> list[Row]:
    """Chats in which the last person before ``until`` was a buyer who wrote from ``since`` on,
    whatever came later; longest wait first.
    """
    statement = text("""
        SELECT chat.id, account.name AS account, avito_id, item_title, client_name, unanswered.waiting_since
        FROM chats chat JOIN accounts account ON account.id = account_id, LATERAL (
            SELECT min(sent_at) AS waiting_since, max(sent_at) AS asked_at FROM messages asked
            WHERE chat_id = chat.id AND side = 'client' AND sent_at < :until AND NOT EXISTS (
                SELECT FROM messages answer WHERE answer.chat_id = chat.id AND answer.side = 'company' AND answer.sent_at < :until
                    AND (answer.sent_at, answer.id) > (asked.sent_at, asked.id))
        ) AS unanswered
        WHERE chat.last_person_at >= :since AND (last_person_side = 'client' OR last_person_at >= :until) AND asked_at >= :since
        ORDER BY unanswered.waiting_since, chat.id
        """)
    return _rows(await session.execute(statement, {"since": since, "until": until}))


async def count_incomplete_chats(session: AsyncSession) -> int:
    """Chats whose history Avito does not give in full."""
    statement = text(
        "SELECT count(*) FROM chats WHERE messages_read_at IS NOT NULL AND NOT history_complete"
    )
    return int(await session.scalar(statement) or 0)


def _rows(result: Result[Any]) -> list[Row]:
    return list(result.mappings())
