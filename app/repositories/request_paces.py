"""SQL of the paces of requests, which all processes of the service share."""

from datetime import timedelta

from sqlalchemy import func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import RequestPace

_NOW = func.clock_timestamp()


async def reserve(
    session: AsyncSession, name: str, *, count: int, interval: timedelta, burst: int
) -> float:
    """Reserve the next ``count`` moments of a pace; return the seconds until the first of them.

    The others follow at the ``interval``. Up to ``burst`` moments may be in the past: so many
    requests may be sent at once after a pause. The row is locked for this transaction only.
    """
    row = insert(RequestPace).values(name=name, next_at=_NOW).on_conflict_do_nothing()
    await session.execute(row)
    locked = select(RequestPace.next_at).where(RequestPace.name == name).with_for_update()
    await session.execute(locked)
    first = func.greatest(RequestPace.next_at, _NOW)
    after = literal(interval * count)
    statement = (
        update(RequestPace)
        .where(RequestPace.name == name)
        .values(next_at=first + after)
        .returning(func.extract("epoch", RequestPace.next_at - after - _NOW))
        .execution_options(synchronize_session=False)
    )
    seconds = float(await session.scalar(statement) or 0)
    return seconds - interval.total_seconds() * (burst - 1)
