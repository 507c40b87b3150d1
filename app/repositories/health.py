"""SQL of health checks and metrics: counts and moments, no personal data.

The cost does not grow with the history: large tables are not counted but estimated.
"""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    Integer,
    ScalarSelect,
    Select,
    case,
    cast,
    column,
    func,
    select,
    true,
    union_all,
)
from sqlalchemy import table as from_table
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.settling import SettlingSpan
from app.models import (
    Base,
    Chat,
    Delivery,
    DeliveryState,
    Digest,
    Report,
    Run,
    RunKind,
    RunState,
)
from app.repositories.chat_conditions import HAS_FAILED, is_settling
from app.repositories.report_conditions import IS_GRADING
from app.repositories.sql_values import inline

_COUNTED_EXACTLY = 1_000
"""Rows up to which a table is counted; above it, Postgres's own estimate is returned."""


class EndedRun(NamedTuple):
    """The newest run of a kind that has ended."""

    kind: str
    state: str
    finished_at: datetime


async def list_newest_ended_runs(session: AsyncSession) -> list[EndedRun]:
    """Return the newest ended run of each kind.

    The newest is the one with the highest number, because clocks may differ.
    """
    newest = (_select_newest_run(kind, Run.state != RunState.MERGED) for kind in RunKind)
    rows = await session.execute(union_all(*(one.subquery().select() for one in newest)))
    return sorted(EndedRun._make(row) for row in rows)


def _select_newest_run(
    kind: RunKind, condition: ColumnElement[bool]
) -> Select[str, str, datetime | None]:
    return (
        select(Run.kind, Run.state, Run.finished_at)
        .where(Run.kind == kind, Run.finished_at.is_not(None), condition)
        .order_by(Run.id.desc())
        .limit(1)
    )


async def get_last_successes(session: AsyncSession) -> dict[str, datetime]:
    """Return the moments of ``last_sync`` (the end of a successful one) and ``last_mail``.

    ``last_mail``: a mail reached its first recipient. A moment that there is not is left out.
    """
    sync = _select_newest_run(RunKind.SYNC, Run.state == RunState.DONE).subquery()
    mail = (
        select(Digest.first_sent_at)
        .where(Digest.first_sent_at.is_not(None))
        .order_by(Digest.id.desc())
        .limit(1)
    )
    statement = select(
        select(sync.c.finished_at).scalar_subquery().label("last_sync"),
        mail.scalar_subquery().label("last_mail"),
    )
    found = (await session.execute(statement)).mappings().one()
    return {name: moment for name, moment in found.items() if moment is not None}


async def count_rows(session: AsyncSession, settling: SettlingSpan | None) -> dict[str, int]:
    """Return the numbers of stored rows and of rows that wait for work, by metric name.

    ``settling``: the span of the present moment. Settling chats are due too.
    """
    is_due = Chat.due_since.is_not(None)
    open_states = [inline(DeliveryState.QUEUED), inline(DeliveryState.SENDING)]
    gauges: dict[str, ColumnElement[Any]] = {
        "chats": _count_or_estimate(Chat),
        "chats_unread": _count(Chat, Chat.messages_due.expression),
        "chats_due": _count(Chat, is_due),
        "chats_waiting": _count(Chat, is_due, HAS_FAILED.is_not(true())),
        "chats_settling": _count(Chat, is_settling(settling), HAS_FAILED.is_not(true())),
        "chats_failed": _count(Chat, is_due, HAS_FAILED),
        "reports": _count_or_estimate(Report) - _count(Report, Report.regrade_of_id.is_not(None)),
        "reports_unmailed": _count(Report, IS_GRADING, Report.digest_id.is_(None)),
        "deliveries_open": _count(Delivery, Delivery.state.in_(open_states)),
        "deliveries_failed": _count(Delivery, Delivery.state == DeliveryState.FAILED),
    }
    statement = select(*(count.label(name) for name, count in gauges.items()))
    return dict((await session.execute(statement)).mappings().one())


def _count(table: type[Base], *conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).select_from(table).where(*conditions).scalar_subquery()


def _count_or_estimate(table: type[Base]) -> ColumnElement[Any]:
    """Return the number of rows of a table; of a large one the estimate of Postgres's planner.

    It is the density of rows at the last ANALYZE, times the present size of the table.
    """
    rows, pages = column("reltuples", Float), column("relpages", Integer)
    oid = column("oid", Integer)
    size = func.pg_relation_size(oid) / cast(func.current_setting("block_size"), BigInteger)
    estimate = (
        select(rows / func.greatest(pages, 1) * size)
        .select_from(from_table("pg_class"))
        .where(oid == func.to_regclass(table.__tablename__))
        .scalar_subquery()
    )
    # Negative before the first ANALYZE.
    return case((estimate < _COUNTED_EXACTLY, _count(table)), else_=cast(estimate, BigInteger))


async def get_database_time(session: AsyncSession) -> datetime:
    """Return the time of the database's clock."""
    moment: datetime = (await session.execute(select(func.clock_timestamp()))).scalar_one()
    return moment


async def get_newest_run_time(session: AsyncSession) -> datetime | None:
    """Return the creation time of the newest run, by the clock of the process that created it."""
    return await session.scalar(select(func.max(Run.created_at)))
