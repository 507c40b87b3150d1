"""SQL of resent mails, for repeated calls.

A repeated call may find the mail built, or left open by an interrupted call.
"""

from collections.abc import Collection
from datetime import date

from sqlalchemy import ColumnElement, case, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Delivery, DeliveryState, Digest, DigestKind, Run, RunState


async def is_resent(
    session: AsyncSession, day: date, recipients: Collection[str], *, since_run: int
) -> bool:
    """Return whether the date's resent mail for these recipients is built.

    A run with the number ``since_run`` or a higher one has built it. The mail may have other
    recipients too.
    """
    statement = select(Digest.id).where(*_repeat(day, recipients), Digest.run_id >= since_run)
    return await session.scalar(statement.limit(1)) is not None


async def continue_unfinished(
    session: AsyncSession, day: date, recipients: Collection[str], *, run_id: int
) -> None:
    """Assign an unfinished resent mail of the date to the run.

    An interrupted or failed run has left it with open deliveries.

    Its finished deliveries count for this run: the interrupted call returned no result.
    """
    owed = select(Delivery.digest_id).where(
        Delivery.recipient.in_(recipients),
        Delivery.state.in_([DeliveryState.QUEUED, DeliveryState.SENDING]),
    )
    left = (
        select(Digest.id)
        .join(Run, Run.id == Digest.run_id)
        .where(
            *_repeat(day, recipients),
            Digest.id.in_(owed),
            Run.state.in_([RunState.INTERRUPTED, RunState.FAILED]),
        )
        .order_by(Digest.id.desc())
        .limit(1)
    )
    brought_by = case((Digest.first_sent_at.is_not(None), run_id))
    await session.execute(
        update(Digest)
        .where(Digest.id.in_(left))
        .values(run_id=run_id, first_sent_run_id=brought_by)
    )


def _repeat(day: date, recipients: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    meant = (
        select(func.count())
        .where(Delivery.digest_id == Digest.id, Delivery.recipient.in_(recipients))
        .scalar_subquery()
    )
    return Digest.day == day, Digest.kind == DigestKind.RESEND, meant == len(set(recipients))
