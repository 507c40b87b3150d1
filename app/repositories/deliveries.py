"""SQL of the deliveries: the recipients of mails, and what is open for them.

The SQL of an attempt of a delivery is in ``delivery_claims``.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Delivery, DeliveryState, Digest
from app.repositories.delivery_claims import OPEN, UNCLAIMED

LONGEST_AHEAD = timedelta(days=3)
"""A later next try was written by a process with a wrong clock. Such a delivery is due now."""


@dataclass(frozen=True)
class OpenDelivery:
    """A mail of a date that is not delivered to one recipient yet."""

    id: int
    day: date
    recipient: str


async def add_deliveries(
    session: AsyncSession, digest_id: int, message_ids: Mapping[str, str], *, retry_at: datetime
) -> None:
    """Queue one mail to each recipient. ``message_ids``: ``Message-ID`` headers by address.

    ``retry_at``: the scheduler's retry of deliveries that the run leaves open because it dies.
    """
    rows = [
        {"digest_id": digest_id, "recipient": to, "message_id": message_id, "next_try_at": retry_at}
        for to, message_id in message_ids.items()
    ]
    if rows:
        await session.execute(insert(Delivery).on_conflict_do_nothing(), rows)


async def list_open(
    session: AsyncSession,
    recipients: Collection[str],
    *,
    ids: Collection[int] | None = None,
) -> list[OpenDelivery]:
    """Return the open deliveries to these recipients, oldest mail first.

    ``ids``: only these deliveries.
    """
    statement = (
        select(Delivery.id, Digest.day, Delivery.recipient)
        .join(Digest, Digest.id == Delivery.digest_id)
        .where(OPEN, Delivery.recipient.in_(recipients))
        .order_by(Delivery.id)
    )
    if ids is not None:
        statement = statement.where(Delivery.id.in_(ids))
    return [OpenDelivery(*row) for row in await session.execute(statement)]


async def take_due(session: AsyncSession, now: datetime, *, again_at: datetime) -> list[int]:
    """Take the unclaimed deliveries that are due for a retry.

    They become due again at ``again_at``.

    If several replicas call it, only one gets a delivery. If the retry run dies or does nothing,
    the next call takes the delivery again.
    """
    due = or_(Delivery.next_try_at <= now, Delivery.next_try_at > now + LONGEST_AHEAD)
    statement = (
        update(Delivery)
        .where(OPEN, UNCLAIMED, due)
        .values(next_try_at=again_at)
        .returning(Delivery.id)
    )
    return sorted(await session.scalars(statement))


async def drop_removed(session: AsyncSession, recipients: Collection[str]) -> None:
    """Fail the unclaimed deliveries to addresses that are no longer in the settings."""
    await session.execute(
        update(Delivery)
        .where(OPEN, UNCLAIMED, Delivery.recipient.not_in(recipients))
        .values(
            state=DeliveryState.FAILED,
            answer="адрес убран из настроек",
            next_try_at=None,
            named_in_digest_id=Delivery.digest_id,
        )
    )


async def drop_finished_mails(session: AsyncSession) -> None:
    """Delete the bytes of mails without open deliveries."""
    waiting = select(Delivery.digest_id).where(OPEN)
    await session.execute(
        update(Digest).where(Digest.mime.is_not(None), Digest.id.not_in(waiting)).values(mime=None)
    )


async def name_failed(session: AsyncSession, digest_id: int) -> list[str]:
    """Store that this mail names the failed addresses not named before; return them."""
    statement = (
        update(Delivery)
        .where(Delivery.state == DeliveryState.FAILED, Delivery.named_in_digest_id.is_(None))
        .values(named_in_digest_id=digest_id)
        .returning(Delivery.recipient)
    )
    return sorted(set(await session.scalars(statement)))


async def list_by_digest(session: AsyncSession, digest_ids: Collection[int]) -> list[Delivery]:
    """Return the deliveries of these mails."""
    return list(
        await session.scalars(
            select(Delivery).where(Delivery.digest_id.in_(digest_ids)).order_by(Delivery.id)
        )
    )
