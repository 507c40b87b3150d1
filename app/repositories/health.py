"""SQL of health and metrics: counts only, nothing of anybody."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


class EndedRun(NamedTuple):
    """The newest run of a kind that has ended."""

    kind: str
    state: str
    finished_at: datetime


async def last_ended_runs(session: AsyncSession) -> list[EndedRun]:
    """One for each kind that ever ended: the newest by its number, whatever the clock showed when
    it ended.
    """
    statement = text("""
        SELECT DISTINCT ON (kind) kind, state, finished_at FROM runs
        WHERE finished_at IS NOT NULL AND state <> 'merged' ORDER BY kind, id DESC
        """)
    return [EndedRun(*row) for row in await session.execute(statement)]


async def counts(session: AsyncSession) -> dict[str, int]:
    """What is stored and what waits, by a metric's name."""
    statement = text("""
        SELECT (SELECT count(*) FROM chats) AS chats,
               (SELECT count(*) FROM chats WHERE messages_due) AS chats_unread,
               (SELECT count(*) FROM chats WHERE due_since IS NOT NULL) AS chats_due,
               (SELECT count(*) FROM chats WHERE due_since IS NOT NULL AND outcome = 'failed') AS chats_failed,
               (SELECT count(*) FROM reports WHERE kind = 'grading') AS reports,
               (SELECT count(*) FROM reports WHERE kind = 'grading' AND digest_id IS NULL) AS reports_unmailed,
               (SELECT count(*) FROM deliveries WHERE state IN ('queued', 'sending')) AS deliveries_open,
               (SELECT count(*) FROM deliveries WHERE state = 'failed') AS deliveries_failed
        """)
    return dict((await session.execute(statement)).mappings().one())


async def database_now(session: AsyncSession) -> datetime:
    """The moment that the database's clock shows."""
    moment: datetime = await session.scalar(text("SELECT clock_timestamp()"))
    return moment


async def newest_run_at(session: AsyncSession) -> datetime | None:
    """When the newest run was created, by the clock of the process that created it."""
    moment: datetime | None = await session.scalar(text("SELECT max(created_at) FROM runs"))
    return moment
