"""SQL of the parts of grading runs: leases, shares of requests, reserved dollars and counts.

See decision 0019. Leases use the database's clock, which all processes share.
"""

import uuid
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Uuid,
    all_,
    and_,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.outcomes import Outcome
from app.models import Run, RunKind, RunPart, RunState
from app.repositories.run_leases import LEASE_SECONDS
from app.repositories.sql_values import inline

# An arbitrary number that all processes of the service share.
_PARTS = 5_318_008_204
_LEASE_END = func.now() + timedelta(seconds=LEASE_SECONDS)
_IS_RUNNING = and_(
    Run.kind == inline(RunKind.ANALYZE),
    Run.state == inline(RunState.RUNNING),
    Run.lease_until > func.now(),
)


def _has_run() -> ColumnElement[bool]:
    """Whether the holder of a part still has the run."""
    return (
        select(Run.id)
        .where(Run.id == RunPart.run_id, Run.lease_token == RunPart.holder_token, _IS_RUNNING)
        .correlate(RunPart)
        .exists()
    )


def _is_live() -> ColumnElement[bool]:
    """Whether a process works on a part. A holder's part ends with the lease of its run."""
    is_helper = RunPart.token != RunPart.holder_token
    return and_(RunPart.lease_until > func.now(), or_(is_helper, _has_run()))


def select_live_tokens() -> ScalarSelect[uuid.UUID]:
    """Return a subquery of the tokens under which chats are being graded."""
    return select(RunPart.token).where(_is_live()).correlate(None).scalar_subquery()


class Part(NamedTuple):
    """A part of a run: its share, its reservation and what it has written."""

    token: uuid.UUID
    holder: uuid.UUID
    requests: int
    reserved_usd: Decimal
    written: Counter[Outcome]
    is_live: bool


async def list_parts(session: AsyncSession) -> list[Part]:
    """Return all parts, oldest first: the live ones, and ended ones of the newest run."""
    counts = (RunPart.graded, RunPart.skipped, RunPart.failed)
    statement = select(
        RunPart.token,
        RunPart.holder_token,
        RunPart.requests,
        RunPart.reserved_usd,
        _is_live().label("is_live"),
        *counts,
    ).order_by(RunPart.joined_at, RunPart.token)
    return [
        Part(
            row.token,
            row.holder_token,
            row.requests,
            row.reserved_usd,
            Counter(
                {
                    Outcome.GRADED: row.graded,
                    Outcome.SKIPPED: row.skipped,
                    Outcome.FAILED: row.failed,
                }
            ),
            row.is_live,
        )
        for row in await session.execute(statement)
    ]


async def lock_parts(session: AsyncSession) -> None:
    """Serialize changes of shares and reservations until the transaction ends."""
    await session.execute(select(func.pg_advisory_xact_lock(_PARTS)))


async def begin(session: AsyncSession, run_id: int, token: uuid.UUID, holder: uuid.UUID) -> bool:
    """Insert a part, and remove the parts of other holders that have ended.

    Return False if it is a helper's and the run is not open any more.
    """
    if token != holder:
        # The lock makes the holder, which closes the run, wait for this part.
        still_open = select(Run.id).where(Run.id == run_id, Run.help_token == holder)
        if await session.scalar(still_open.with_for_update(read=True)) is None:
            return False
    ended = delete(RunPart).where(RunPart.holder_token != holder, ~_is_live())
    await session.execute(ended.execution_options(synchronize_session=False))
    await session.execute(
        insert(RunPart).values(
            run_id=run_id, token=token, holder_token=holder, lease_until=_LEASE_END
        )
    )
    return True


async def open_run(session: AsyncSession, run_id: int, token: uuid.UUID) -> None:
    """Let other processes join the run with this token."""
    await session.execute(
        update(Run).where(Run.id == run_id, Run.lease_token == token).values(help_token=token)
    )


async def close_run(session: AsyncSession, run_id: int, token: uuid.UUID) -> None:
    """Let no other process join the run with this token; those that have joined go on."""
    await session.execute(
        update(Run).where(Run.id == run_id, Run.help_token == token).values(help_token=None)
    )


async def find_open_run(session: AsyncSession, left: Collection[uuid.UUID]) -> Run | None:
    """Return the run that another process may join, unless its holder is one of ``left``."""
    tokens = literal(list(left), ARRAY(Uuid()))
    statement = select(Run).where(
        _IS_RUNNING, Run.help_token == Run.lease_token, Run.help_token != all_(tokens)
    )
    return (await session.scalars(statement.limit(1))).first()


async def renew(
    session: AsyncSession,
    token: uuid.UUID,
    *,
    requests: int,
    reserved_usd: Decimal,
    written: Mapping[Outcome, int],
) -> None:
    """Extend the lease of a part and store its numbers."""
    await session.execute(
        update(RunPart)
        .where(RunPart.token == token)
        .values(
            lease_until=_LEASE_END,
            requests=requests,
            reserved_usd=reserved_usd,
            graded=written.get(Outcome.GRADED, 0),
            skipped=written.get(Outcome.SKIPPED, 0),
            failed=written.get(Outcome.FAILED, 0),
        )
    )


async def reserve(session: AsyncSession, token: uuid.UUID, usd: Decimal) -> None:
    """Store what the chats of a part may cost that is not in the database yet."""
    await session.execute(update(RunPart).where(RunPart.token == token).values(reserved_usd=usd))


async def end(session: AsyncSession, token: uuid.UUID, written: Mapping[Outcome, int]) -> None:
    """End a part and its claims. Its counts stay."""
    await renew(session, token, requests=0, reserved_usd=Decimal(0), written=written)
    ended = update(RunPart).where(RunPart.token == token).values(lease_until=func.now())
    await session.execute(ended)
