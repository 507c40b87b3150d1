"""SQL of the deliveries: who gets which mail, and what the mail server said."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Delivery, DeliveryState, Digest

_OPEN = (DeliveryState.QUEUED, DeliveryState.SENDING)


@dataclass(frozen=True)
class OpenDelivery:
    """A date's mail on its way to one recipient."""

    id: int
    digest_id: int
    day: date
    recipient: str
    message_id: str
    tries: int
    refusals: int
    first_tried_at: datetime | None


async def add_deliveries(session: AsyncSession, digest_id: int, message_ids: Mapping[str, str], *, retry_at: datetime) -> None:
    """Queues one mail to each recipient; the keys are addresses, the values ``Message-ID`` headers.

    ``retry_at``: when the scheduler takes up what the run has not come to, should it die.
    """
    rows = [
        {"digest_id": digest_id, "recipient": to, "message_id": message_id, "next_try_at": retry_at}
        for to, message_id in message_ids.items()
    ]
    if rows:
        await session.execute(insert(Delivery).on_conflict_do_nothing(), rows)


async def list_open(session: AsyncSession, recipients: Collection[str], *, due_at: datetime | None) -> list[OpenDelivery]:
    """Deliveries not final yet to these recipients, oldest mail first; with ``due_at`` only those whose own next try has come."""
    statement = (
        select(
            Delivery.id,
            Delivery.digest_id,
            Digest.day,
            Delivery.recipient,
            Delivery.message_id,
            Delivery.tries,
            Delivery.refusals,
            Delivery.first_tried_at,
        )
        .join(Digest, Digest.id == Delivery.digest_id)
        .where(Delivery.state.in_(_OPEN), Delivery.recipient.in_(recipients))
        .order_by(Delivery.id)
    )
    if due_at is not None:
        statement = statement.where(Delivery.next_try_at <= due_at)
    return [OpenDelivery(*row) for row in await session.execute(statement)]


async def next_retry_at(session: AsyncSession) -> datetime | None:
    """The earliest moment at which the scheduler owes somebody another try."""
    return await session.scalar(select(func.min(Delivery.next_try_at)).where(Delivery.state.in_(_OPEN)))


async def mark_sending(session: AsyncSession, delivery_id: int, now: datetime, *, retry_at: datetime) -> None:
    """To be committed before the mail server is spoken to. ``retry_at``: when the scheduler tries again if no answer gets written."""
    await session.execute(
        update(Delivery)
        .where(Delivery.id == delivery_id)
        .values(
            state=DeliveryState.SENDING,
            tries=Delivery.tries + 1,
            first_tried_at=func.coalesce(Delivery.first_tried_at, now),
            next_try_at=retry_at,
        )
    )


async def mark_sent(session: AsyncSession, delivery: OpenDelivery, *, answer: str, now: datetime, run_id: int | None) -> None:
    """The mail server has taken the mail; the first recipient's arrival is the mail's own."""
    await session.execute(
        update(Delivery).where(Delivery.id == delivery.id).values(state=DeliveryState.SENT, answer=answer, sent_at=now, next_try_at=None)
    )
    await session.execute(
        update(Digest)
        .where(Digest.id == delivery.digest_id, Digest.first_sent_at.is_(None))
        .values(first_sent_at=now, first_sent_run_id=run_id)
    )


async def mark_unsent(
    session: AsyncSession, delivery_id: int, *, answer: str, refused: bool, final: bool, next_try_at: datetime | None
) -> None:
    """The mail did not go; it waits for its next try, or has failed for good."""
    await session.execute(
        update(Delivery)
        .where(Delivery.id == delivery_id)
        .values(
            state=DeliveryState.FAILED if final else DeliveryState.QUEUED,
            answer=answer,
            refusals=Delivery.refusals + int(refused),
            next_try_at=None if final else next_try_at,
        )
    )


async def drop_removed(session: AsyncSession, recipients: Collection[str]) -> None:
    """Ends the deliveries to addresses that are no longer in the settings; nobody asked for them any more."""
    await session.execute(
        update(Delivery)
        .where(Delivery.state.in_(_OPEN), Delivery.recipient.not_in(recipients))
        .values(state=DeliveryState.FAILED, answer="адрес убран из настроек", next_try_at=None, named_in_digest_id=Delivery.digest_id)
    )


async def drop_finished_mails(session: AsyncSession) -> None:
    """Forgets the bytes of mails that nobody waits for any more."""
    waiting = select(Delivery.digest_id).where(Delivery.state.in_(_OPEN))
    await session.execute(update(Digest).where(Digest.mime.is_not(None), Digest.id.not_in(waiting)).values(mime=None))


async def name_failed(session: AsyncSession, digest_id: int) -> list[str]:
    """The addresses that failed for good and that no mail has named yet; this mail does."""
    statement = (
        update(Delivery)
        .where(Delivery.state == DeliveryState.FAILED, Delivery.named_in_digest_id.is_(None))
        .values(named_in_digest_id=digest_id)
        .returning(Delivery.recipient)
    )
    return sorted(set(await session.scalars(statement)))


async def list_by_digest(session: AsyncSession, digest_ids: Collection[int]) -> list[Delivery]:
    """The ledger of these mails."""
    return list(await session.scalars(select(Delivery).where(Delivery.digest_id.in_(digest_ids)).order_by(Delivery.id)))
