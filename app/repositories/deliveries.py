"""SQL of the deliveries: who gets which mail, who attempts to deliver it, and what the mail server
said.

An attempt claims its delivery under a token of its own. Its later writes match that token and an
open state, so a process that was frozen meanwhile changes nothing. Claims go by the database's
clock, which all replicas share.
"""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Delivery, DeliveryState, Digest

CLAIM_SECONDS = 15
"""How long a claim lasts before the final dot. A run that takes over a dead one's work finds it
over: the run's lease is longer.
"""
DOT_SECONDS = 720
"""How long a claim lasts from the final dot: the ten minutes in which the reply may come, and time
to write it.
"""
LONGEST_AHEAD = timedelta(days=3)
"""A next try later than that was written by a process whose clock was wrong, and is due now."""

_OPEN = Delivery.state.in_((DeliveryState.QUEUED, DeliveryState.SENDING))
GONE_SECONDS = 60
"""How long after the announced dot the claim of a process that has died is kept. One that has only
lost its connections may need the time to write an arrival that the mail server has acknowledged.
"""
_SERVER = "extract(epoch FROM pg_postmaster_start_time())"
_BACKEND = f"pid || ' ' || extract(epoch FROM backend_start) || ' ' || {_SERVER}"
_DEAD = text(f"""
    deliveries.claim_backend IS NOT NULL
    AND deliveries.claimed_until < now() + interval '{DOT_SECONDS - GONE_SECONDS} seconds'
    AND split_part(deliveries.claim_backend, ' ', 3) = CAST({_SERVER} AS text)
    AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE {_BACKEND} = deliveries.claim_backend)
    """)
"""The process past its dot has died. A restart of Postgres ends all backends, so it tells nothing
of their processes.
"""
_UNCLAIMED = or_(Delivery.claimed_until.is_(None), Delivery.claimed_until < func.now(), _DEAD)


@dataclass(frozen=True)
class OpenDelivery:
    """A date's mail that one recipient has not got yet."""

    id: int
    day: date
    recipient: str


@dataclass(frozen=True)
class ClaimedDelivery:
    """A delivery as the attempt that has claimed it finds it; ``tries`` counts this attempt too."""

    id: int
    digest_id: int
    message_id: str
    tries: int
    refusals: int
    first_tried_at: datetime | None


async def add_deliveries(
    session: AsyncSession, digest_id: int, message_ids: Mapping[str, str], *, retry_at: datetime
) -> None:
    """Queues one mail to each recipient; the keys are addresses, the values ``Message-ID`` headers.

    ``retry_at``: when the scheduler takes up what the run has not come to, should it die.
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
    ids: Collection[int] = (),
    due_at: datetime | None = None,
) -> list[OpenDelivery]:
    """Deliveries not final yet to these recipients, oldest mail first; ``ids``: only these;
    ``due_at``: only those due at this moment.
    """
    statement = (
        select(Delivery.id, Digest.day, Delivery.recipient)
        .join(Digest, Digest.id == Delivery.digest_id)
        .where(_OPEN, Delivery.recipient.in_(recipients))
        .order_by(Delivery.id)
    )
    if ids:
        statement = statement.where(Delivery.id.in_(ids))
    if due_at is not None:
        statement = statement.where(Delivery.next_try_at <= due_at)
    return [OpenDelivery(*row) for row in await session.execute(statement)]


async def is_open(session: AsyncSession, delivery_id: int) -> bool:
    """Whether the recipient still waits for the mail."""
    return (
        await session.scalar(select(Delivery.id).where(Delivery.id == delivery_id, _OPEN))
        is not None
    )


async def is_claimed_briefly(session: AsyncSession, delivery_id: int) -> bool:
    """Whether an attempt holds the delivery that has not announced its final dot: its claim ends
    within ``CLAIM_SECONDS``.
    """
    brief = (_OPEN, Delivery.claimed_until <= _seconds_ahead(CLAIM_SECONDS))
    return (
        await session.scalar(select(Delivery.id).where(Delivery.id == delivery_id, *brief))
        is not None
    )


async def take_due(session: AsyncSession, now: datetime, *, again_at: datetime) -> list[int]:
    """Take the deliveries that are due for a retry and that no attempt holds; they are due again at
    ``again_at``.

    Of several replicas that call it one gets a delivery. If the run that it asks for dies or does
    nothing, the next call takes it again.
    """
    due = or_(Delivery.next_try_at <= now, Delivery.next_try_at > now + LONGEST_AHEAD)
    statement = (
        update(Delivery)
        .where(_OPEN, _UNCLAIMED, due)
        .values(next_try_at=again_at)
        .returning(Delivery.id)
    )
    return sorted(await session.scalars(statement))


async def claim_delivery(
    session: AsyncSession, delivery_id: int, token: uuid.UUID, *, now: datetime, retry_at: datetime
) -> ClaimedDelivery | None:
    """Begin an attempt; to be committed before the mail server is contacted.

    Returns None if the delivery is final or another attempt holds it. ``retry_at``: when the
    scheduler retries if no result is written.
    """
    statement = (
        update(Delivery)
        .where(Delivery.id == delivery_id, _OPEN, _UNCLAIMED)
        .values(
            state=DeliveryState.SENDING,
            tries=Delivery.tries + 1,
            first_tried_at=func.coalesce(Delivery.first_tried_at, now),
            next_try_at=retry_at,
            claim_token=token,
            claimed_until=_seconds_ahead(CLAIM_SECONDS),
            claim_backend=None,
        )
        .returning(
            Delivery.id,
            Delivery.digest_id,
            Delivery.message_id,
            Delivery.tries,
            Delivery.refusals,
            Delivery.first_tried_at,
        )
    )
    row = (await session.execute(statement)).one_or_none()
    return ClaimedDelivery(*row) if row else None


async def announce_dot(
    session: AsyncSession, delivery_id: int, token: uuid.UUID, *, backend: str | None
) -> bool:
    """Prolong the claim over the wait for the reply; to be committed before the final dot. False if
    the attempt is no longer the one.

    ``backend``: the one that lives as long as this process (see ``name_backend``). Once it is gone,
    the claim need not be kept.
    """
    return await _write(
        session,
        delivery_id,
        token,
        claimed_until=_seconds_ahead(DOT_SECONDS),
        claim_backend=backend,
    )


async def name_backend(session: AsyncSession) -> str:
    """A name of the session's backend that no other backend ever has."""
    statement = text(f"SELECT {_BACKEND} FROM pg_stat_activity WHERE pid = pg_backend_pid()")  # noqa: S608 - our own words
    return str((await session.execute(statement)).scalar_one())


async def release_claim(session: AsyncSession, delivery_id: int, token: uuid.UUID) -> bool:
    """End an attempt that was stopped before the final dot: the next one may begin at once."""
    return await _write(session, delivery_id, token, state=DeliveryState.QUEUED, claimed_until=None)


async def mark_unsent(
    session: AsyncSession,
    delivery_id: int,
    token: uuid.UUID,
    *,
    answer: str,
    refused: bool,
    final: bool,
    next_try_at: datetime | None,
) -> bool:
    """End an attempt that did not deliver: the delivery waits for its next try, or has failed for
    good. False if nothing was written.
    """
    return await _write(
        session,
        delivery_id,
        token,
        state=DeliveryState.FAILED if final else DeliveryState.QUEUED,
        answer=answer,
        refusals=Delivery.refusals + int(refused),
        next_try_at=None if final else next_try_at,
        claimed_until=None,
    )


async def mark_sent(session: AsyncSession, delivery_id: int, *, answer: str, now: datetime) -> bool:
    """Write an arrival. False if it is written already.

    No token is asked for: what has arrived has arrived, whichever attempt brought it, and an
    attempt begun since must not send it again. Only the delivery's row is touched, so no lock on
    the mails holds the arrival back.
    """
    statement = (
        update(Delivery)
        .where(Delivery.id == delivery_id, Delivery.state != DeliveryState.SENT)
        .values(
            state=DeliveryState.SENT,
            answer=answer,
            sent_at=now,
            next_try_at=None,
            claimed_until=None,
        )
        .returning(Delivery.id)
    )
    return await session.scalar(statement) is not None


async def _write(session: AsyncSession, delivery_id: int, token: uuid.UUID, **values: Any) -> bool:
    """Change a delivery that is open and still held by this attempt."""
    ours = (
        Delivery.id == delivery_id,
        Delivery.claim_token == token,
        Delivery.state == DeliveryState.SENDING,
    )
    return (
        await session.scalar(update(Delivery).where(*ours).values(values).returning(Delivery.id))
        is not None
    )


def _seconds_ahead(seconds: int) -> ColumnElement[datetime]:
    return func.now() + text(f"interval '{seconds} seconds'")


async def drop_removed(session: AsyncSession, recipients: Collection[str]) -> None:
    """End the deliveries to addresses that are no longer in the settings, but for those under way."""
    await session.execute(
        update(Delivery)
        .where(_OPEN, _UNCLAIMED, Delivery.recipient.not_in(recipients))
        .values(
            state=DeliveryState.FAILED,
            answer="адрес убран из настроек",
            next_try_at=None,
            named_in_digest_id=Delivery.digest_id,
        )
    )


async def drop_finished_mails(session: AsyncSession) -> None:
    """Forgets the bytes of mails that nobody waits for any more."""
    waiting = select(Delivery.digest_id).where(_OPEN)
    await session.execute(
        update(Digest).where(Digest.mime.is_not(None), Digest.id.not_in(waiting)).values(mime=None)
    )


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
    return list(
        await session.scalars(
            select(Delivery).where(Delivery.digest_id.in_(digest_ids)).order_by(Delivery.id)
        )
    )
