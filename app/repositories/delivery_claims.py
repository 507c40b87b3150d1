"""SQL of the attempts of a delivery: its claim, and the reply of the mail server.

An attempt claims its delivery with its own token. Its later updates match the token and an open
state, so a process that was suspended meanwhile changes nothing. Claims use the database's clock,
which all replicas share.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Delivery, DeliveryState

CLAIM_SECONDS = 15
"""Duration of a claim before the final dot.

It is shorter than a run's lease: when another process claims the run of a dead process, the claims
of that process have expired.
"""
DOT_SECONDS = 720
"""Duration of a claim from the final dot on.

It contains ten minutes for the reply of the mail server, and time to write it.
"""
GONE_SECONDS = 60
"""Duration of the claim of a dead process after the announced dot.

A process that has only lost its connections needs the time to write a delivery that the mail server
has acknowledged.
"""
_SERVER = "extract(epoch FROM pg_postmaster_start_time())"
_BACKEND = f"pid || ' ' || extract(epoch FROM backend_start) || ' ' || {_SERVER}"
# Raw SQL: part of the claim; pg_stat_activity is not a mapped table.
_DEAD = text(f"""
    deliveries.claim_backend IS NOT NULL
    AND deliveries.claimed_until < now() + interval '{DOT_SECONDS - GONE_SECONDS} seconds'
    AND split_part(deliveries.claim_backend, ' ', 3) = CAST({_SERVER} AS text)
    AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE {_BACKEND} = deliveries.claim_backend)
    """)
"""Condition: the process that has announced its dot is dead, because its backend is gone.

A restart of Postgres ends all backends, so a backend from before the restart does not count.
"""
OPEN = Delivery.state.in_((DeliveryState.QUEUED, DeliveryState.SENDING))
"""Condition: the delivery has neither arrived nor failed."""
UNCLAIMED = or_(Delivery.claimed_until.is_(None), Delivery.claimed_until < func.now(), _DEAD)
"""Condition: no attempt holds the delivery."""


@dataclass(frozen=True)
class ClaimedDelivery:
    """A delivery at the start of the attempt that claims it; ``tries`` includes this attempt."""

    id: int
    digest_id: int
    message_id: str
    tries: int
    refusals: int
    first_tried_at: datetime | None


async def is_open(session: AsyncSession, delivery_id: int) -> bool:
    """Return whether the delivery is open."""
    return (
        await session.scalar(select(Delivery.id).where(Delivery.id == delivery_id, OPEN))
        is not None
    )


async def is_claimed_briefly(session: AsyncSession, delivery_id: int) -> bool:
    """Return whether an attempt that has not announced its final dot claims the delivery.

    Such a claim ends within ``CLAIM_SECONDS``.
    """
    brief = (OPEN, Delivery.claimed_until <= _seconds_ahead(CLAIM_SECONDS))
    return (
        await session.scalar(select(Delivery.id).where(Delivery.id == delivery_id, *brief))
        is not None
    )


async def claim_delivery(
    session: AsyncSession, delivery_id: int, token: uuid.UUID, *, now: datetime, retry_at: datetime
) -> ClaimedDelivery | None:
    """Begin an attempt. The caller commits before it contacts the mail server.

    Returns None if the delivery is final or another attempt has claimed it. ``retry_at``: the
    scheduler's retry if no result is written.
    """
    statement = (
        update(Delivery)
        .where(Delivery.id == delivery_id, OPEN, UNCLAIMED)
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
    """Extend the claim until the mail server's reply.

    The caller commits before the final dot. False if another attempt has claimed the delivery.

    ``backend``: a Postgres backend that lives as long as this process (``get_backend_name``). When
    it is gone, the claim ends early.
    """
    return await _write(
        session,
        delivery_id,
        token,
        claimed_until=_seconds_ahead(DOT_SECONDS),
        claim_backend=backend,
    )


async def get_backend_name(session: AsyncSession) -> str:
    """Return a unique name of the session's Postgres backend, never used again."""
    # Raw SQL: the same expression as in _DEAD.
    statement = text(f"SELECT {_BACKEND} FROM pg_stat_activity WHERE pid = pg_backend_pid()")  # noqa: S608 - constants only
    return str((await session.execute(statement)).scalar_one())


async def release_claim(session: AsyncSession, delivery_id: int, token: uuid.UUID) -> bool:
    """End an attempt that was stopped before the final dot. The next one may begin at once."""
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
    """End an attempt that did not deliver.

    The delivery is queued for its next try, or has failed if ``final``. False if nothing was
    written.
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
    """Store that a mail has arrived. False if that is stored already.

    No token is needed: a later attempt must not send the mail again, whichever attempt delivered
    it. Only the row of the delivery is updated, so no lock on the mails delays it.
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
    """Update a delivery that this attempt has claimed. False if it has not."""
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
    return func.now() + timedelta(seconds=seconds)
