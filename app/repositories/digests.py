"""SQL of the digests: stored mails, their figures and bytes."""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, Text, and_, case, cast, func, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from app.models import Delivery, DeliveryState, Digest, DigestKind, Run, RunState


async def add_digest(
    session: AsyncSession,
    *,
    day: date,
    kind: DigestKind,
    run_id: int,
    period_end: datetime,
    now: datetime,
) -> int | None:
    """Insert a mail without figures. None if the date has a daily mail already."""
    statement = (
        insert(Digest)
        .values(
            day=day,
            kind=kind,
            run_id=run_id,
            period_end=period_end,
            figures={},
            reports_count=0,
            subject="",
            created_at=now,
        )
        .on_conflict_do_nothing()
        .returning(Digest.id)
    )
    return await session.scalar(statement)


async def set_figures(
    session: AsyncSession,
    digest_id: int,
    *,
    period_start: datetime,
    after_message_id: int | None,
    last_message_id: int,
    figures: str,
    day_figures: str | None,
    reports_count: int,
    subject: str,
) -> None:
    """Store the figures of a mail, which are JSON texts."""
    values = {
        "period_start": period_start,
        "after_message_id": after_message_id,
        "last_message_id": last_message_id,
        "figures": cast(literal(figures, Text), JSONB),
        "day_figures": cast(literal(day_figures, Text), JSONB),
        "reports_count": reports_count,
        "subject": subject,
    }
    await session.execute(update(Digest).where(Digest.id == digest_id).values(values))


_UNRENDERED = and_(
    Digest.first_sent_at.is_(None),
    ~select(Delivery.id).where(Delivery.digest_id == Digest.id).exists(),
)
"""The mail has figures, but neither bytes nor deliveries, which are stored together.

``first_sent_at`` is the condition of an index.
"""


async def list_unrendered(session: AsyncSession) -> list[Digest]:
    """Return the mails without rendered bytes, oldest first."""
    return list(await session.scalars(select(Digest).where(_UNRENDERED).order_by(Digest.id)))


async def has_unrendered(session: AsyncSession, *, before: datetime) -> bool:
    """Return whether a mail created before this moment has no bytes: its process has died."""
    return (
        await session.scalar(
            select(Digest.id).where(_UNRENDERED, Digest.created_at < before).limit(1)
        )
        is not None
    )


async def set_mime(session: AsyncSession, digest_id: int, mime: bytes) -> bool:
    """Store a mail's bytes. False if another process has stored them."""
    statement = (
        update(Digest)
        .where(Digest.id == digest_id, Digest.mime.is_(None), _UNRENDERED)
        .values(mime=mime)
        .returning(Digest.id)
    )
    return await session.scalar(statement) is not None


async def mark_first_sent(
    session: AsyncSession, digest_id: int, *, now: datetime, run_id: int | None
) -> None:
    """Store that a mail has reached its first recipient, unless that is stored already.

    ``run_id``: the run that counts the mail's reports. If it has ended, its figures are final and
    no run counts them.
    """
    counting = (
        select(Run.id)
        .where(Run.id == run_id, Run.state.in_((RunState.QUEUED, RunState.RUNNING)))
        .scalar_subquery()
    )
    unwritten = update(Digest).where(Digest.id == digest_id, Digest.first_sent_at.is_(None))
    await session.execute(unwritten.values(first_sent_at=now, first_sent_run_id=counting))


async def adopt_first_sent(session: AsyncSession) -> None:
    """Store the first arrival of mails whose process died before it was stored.

    The process died between the updates of the delivery and the digest. The mail's own run counts
    it.
    """
    arrived_at = select(func.min(Delivery.sent_at)).where(
        Delivery.digest_id == Digest.id, Delivery.state == DeliveryState.SENT
    )
    statement = update(Digest).where(
        Digest.first_sent_at.is_(None), arrived_at.scalar_subquery().is_not(None)
    )
    await session.execute(
        statement.values(
            first_sent_at=arrived_at.scalar_subquery(), first_sent_run_id=Digest.run_id
        )
    )


async def get_digest_by_run(session: AsyncSession, run_id: int) -> Digest | None:
    """Return the mail that a run has built."""
    return (await session.scalars(select(Digest).where(Digest.run_id == run_id))).one_or_none()


async def get_digest(session: AsyncSession, digest_id: int) -> Digest:
    """Return a mail without its bytes."""
    statement = (
        select(Digest).where(Digest.id == digest_id).options(defer(Digest.mime, raiseload=True))
    )
    return (await session.scalars(statement)).one()


async def get_mime(session: AsyncSession, digest_id: int) -> bytes | None:
    """Return the bytes of a mail. None when all its deliveries are final."""
    return await session.scalar(select(Digest.mime).where(Digest.id == digest_id))


async def get_last_daily(session: AsyncSession, *, before: datetime | None) -> Digest | None:
    """Return the last daily mail with figures and a cut-off before a moment.

    ``before`` None: the newest one.
    """
    statement = select(Digest).where(
        Digest.kind == DigestKind.DAILY, Digest.last_message_id.is_not(None)
    )
    if before is None:
        statement = statement.order_by(Digest.id.desc())
    else:
        statement = statement.where(Digest.period_end < before).order_by(Digest.period_end.desc())
    return (await session.scalars(statement.limit(1))).first()


async def get_span(
    session: AsyncSession, digest_ids: Sequence[int]
) -> tuple[datetime, datetime, int | None]:
    """Return the start and end of the period that these mails cover together.

    The third value is the number of the newest message stored at the start of the first mail.
    """
    after_first = func.array_agg(Digest.after_message_id).aggregate_order_by(Digest.id)
    spans = select(func.min(Digest.period_start), func.max(Digest.period_end), after_first).where(
        Digest.id.in_(digest_ids)
    )
    start, end, after = (await session.execute(spans)).one()
    return start or end, end, after[0]


async def list_carried(
    session: AsyncSession, day: date, *, before_id: int | None = None
) -> list[int]:
    """Return the mails that carried a date's reports first.

    ``before_id``: only mails older than this one.
    """
    statement = (
        select(Digest.id)
        .where(Digest.day == day, Digest.kind != DigestKind.RESEND)
        .order_by(Digest.id)
    )
    return list(
        await session.scalars(
            statement if before_id is None else statement.where(Digest.id < before_id)
        )
    )


async def count_delivered(session: AsyncSession, run_id: int) -> int:
    """Return the number of reports that a run has delivered to their first recipient."""
    return int(
        await session.scalar(
            select(func.coalesce(func.sum(Digest.reports_count), 0)).where(
                Digest.first_sent_run_id == run_id
            )
        )
        or 0
    )


async def is_resent(
    session: AsyncSession, day: date, recipients: Collection[str], *, since_run: int
) -> bool:
    """Return whether the date's resent mail for these recipients is built.

    A run with the number ``since_run`` or a higher one has built it. The mail may have other
    recipients too.
    """
    statement = select(Digest.id).where(*_match_resend(day, recipients), Digest.run_id >= since_run)
    return await session.scalar(statement.limit(1)) is not None


async def continue_unfinished_resend(
    session: AsyncSession, day: date, recipients: Collection[str], *, run_id: int
) -> None:
    """Assign an unfinished resent mail of the date to the run.

    An interrupted or failed run has left it with open deliveries. Its finished deliveries count for
    this run: the interrupted call returned no result.
    """
    owed = select(Delivery.digest_id).where(
        Delivery.recipient.in_(recipients),
        Delivery.state.in_([DeliveryState.QUEUED, DeliveryState.SENDING]),
    )
    left = (
        select(Digest.id)
        .join(Run, Run.id == Digest.run_id)
        .where(
            *_match_resend(day, recipients),
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


def _match_resend(day: date, recipients: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    meant = (
        select(func.count())
        .where(Delivery.digest_id == Digest.id, Delivery.recipient.in_(recipients))
        .scalar_subquery()
    )
    return Digest.day == day, Digest.kind == DigestKind.RESEND, meant == len(set(recipients))
