"""SQL of health checks and metrics: counts and moments, no personal data."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, ScalarSelect, func, select, true
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.settling import SettlingSpan
from app.models import Base, Chat, Delivery, DeliveryState, Report, ReportKind, Run, RunState
from app.repositories.chat_conditions import HAS_FAILED, is_settling
from app.repositories.sql_values import inline


class EndedRun(NamedTuple):
    """The newest run of a kind that has ended."""

    kind: str
    state: str
    finished_at: datetime


async def list_newest_ended_runs(session: AsyncSession) -> list[EndedRun]:
    """Return the newest ended run of each kind.

    The newest is the one with the highest number, because clocks may differ.
    """
    statement = (
        select(Run.kind, Run.state, Run.finished_at)
        .where(Run.finished_at.is_not(None), Run.state != RunState.MERGED)
        .ext(distinct_on(Run.kind))
        .order_by(Run.kind, Run.id.desc())
    )
    return [EndedRun._make(row) for row in await session.execute(statement)]


async def count_rows(session: AsyncSession, settling: SettlingSpan | None) -> dict[str, int]:
    """Return the numbers of stored rows and of rows that wait for work, by metric name.

    ``settling``: the span of the present moment. Settling chats are due too.
    """
    is_due = Chat.due_since.is_not(None)
    is_graded = Report.kind == inline(ReportKind.GRADING)
    open_states = [inline(DeliveryState.QUEUED), inline(DeliveryState.SENDING)]
    gauges = {
        "chats": _count(Chat),
        "chats_unread": _count(Chat, Chat.messages_due.expression),
        "chats_due": _count(Chat, is_due),
        "chats_settling": _count(Chat, is_settling(settling), HAS_FAILED.is_not(true())),
        "chats_failed": _count(Chat, is_due, HAS_FAILED),
        "reports": _count(Report, is_graded),
        "reports_unmailed": _count(Report, is_graded, Report.digest_id.is_(None)),
        "deliveries_open": _count(Delivery, Delivery.state.in_(open_states)),
        "deliveries_failed": _count(Delivery, Delivery.state == DeliveryState.FAILED),
    }
    statement = select(*(count.label(name) for name, count in gauges.items()))
    return dict((await session.execute(statement)).mappings().one())


def _count(table: type[Base], *conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).select_from(table).where(*conditions).scalar_subquery()


async def get_database_time(session: AsyncSession) -> datetime:
    """Return the time of the database's clock."""
    moment: datetime = (await session.execute(select(func.clock_timestamp()))).scalar_one()
    return moment


async def get_newest_run_time(session: AsyncSession) -> datetime | None:
    """Return the creation time of the newest run, by the clock of the process that created it."""
    return await session.scalar(select(func.max(Run.created_at)))
