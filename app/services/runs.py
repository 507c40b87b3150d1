"""Runs as the rest of the service sees them: ask for one, wait for its end, and what a step is
given to report its progress.
"""

import asyncio
import contextlib
import math
import time
import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import Clock
from app.database.engine import Database
from app.errors import AppError, DatabaseUnavailableError, NotFoundError
from app.models import Run, RunKind, RunState
from app.repositories import runs

FORCING = ("force", "resend", "full", "regrade")
"""The parameters that ask for work that is done already."""
ENDED = frozenset({RunState.DONE, RunState.FAILED, RunState.INTERRUPTED, RunState.MERGED})


@dataclass
class Progress:
    """How far a run is; the worker writes it down every second while the run works."""

    done: int = 0
    total: int | None = None
    figures: dict[str, Any] = field(default_factory=dict)


class Lease:
    """The run's lease as this process can be sure of it, measured by the monotonic clock: no change
    of the wall clock prolongs it.

    ``asked_at`` is when the claim or the renewal was sent, not when it was answered, so that the
    database never considers the lease shorter.
    """

    def __init__(self, asked_at: float | None = None) -> None:
        self._asked_at = time.monotonic() if asked_at is None else asked_at

    def renew(self, asked_at: float) -> None:
        """Record a renewal that the database has committed; ``asked_at`` is a value of
        ``time.monotonic``.
        """
        self._asked_at = asked_at

    @property
    def held(self) -> bool:
        """Whether no other process can have claimed the run. Check it before a step that cannot be
        undone.
        """
        return self.seconds_left > 0

    @property
    def seconds_left(self) -> float:
        """How long it is held without a renewal; 0 or less: it is not."""
        return self._asked_at + runs.LEASE_SECONDS - time.monotonic()


@dataclass(frozen=True)
class RunContext:
    """What a step knows of the run that it works for. ``token`` is the lease: results are written
    only while it is ours.
    """

    id: int
    slot: str | None
    params: Mapping[str, Any]
    token: uuid.UUID
    started_at: datetime
    progress: Progress
    repeated: Collection[int] = ()
    """The runs that were asked to force the same work and were begun before this one: what they did
    it does not do again.
    """
    lease: Lease = field(default_factory=Lease)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the process is told to stop: a step that heeds it begins nothing more and finishes
    what is under way.
    """

    @property
    def done_since(self) -> int:
        """Runs from this number on have done this run's work as well: those that it repeats, and
        one that was let in before it.
        """
        return int(self.params.get(runs.REPEATS, self.id))


@dataclass(frozen=True)
class StepResult:
    """The end of a step: ``message`` is Russian and for people; not ``ok`` where an account, a
    recipient or the model failed.

    ``cut_short``: the process is stopping and work was left, so this is no end yet.
    """

    ok: bool
    message: str
    figures: dict[str, Any]
    cut_short: bool = False


class LeaseLostError(AppError):
    """Another process has taken the run over, or may have: nothing more may be written."""

    def __init__(self) -> None:
        super().__init__("Запуск перешёл к другому процессу службы: он его и закончит.")


Step = Callable[[RunContext], Awaitable[StepResult]]


def is_forced(params: Mapping[str, Any]) -> bool:
    """Whether a run with these parameters does again what is done already."""
    return any(params.get(name) for name in FORCING)


async def submit(
    database: Database,
    kind: RunKind,
    clock: Clock,
    *,
    params: Mapping[str, Any] | None = None,
    slot: str | None = None,
    parent_id: int | None = None,
) -> int:
    """Queues a run and returns its number; a slot's run that exists already is that run.

    One that forces work, as another that is under way does with the same parameters, keeps the
    other's number.
    """
    asked = dict(params or {})
    async with database.transaction() as session:
        if is_forced(asked):
            first = await runs.get_same_under_way(session, kind, asked, now=clock())
            asked |= {} if first is None else {runs.REPEATS: first}
        run_id = await runs.add_run(
            session, kind, now=clock(), params=asked, slot=slot, parent_id=parent_id
        )
        if run_id is not None:
            return run_id
        existing = await runs.get_run_by_slot(session, kind, slot or "")
    if existing is None:
        raise NotFoundError(f"Запуск {kind} {slot} исчез.")
    return existing.id


async def _never() -> None:
    await asyncio.Event().wait()


_READ_SECONDS = 10.0
"""One look at the run; a database that does not answer in that time is away."""


async def wait(
    database: Database,
    run_id: int,
    *,
    wait_run_finished: Callable[[], Awaitable[None]] = _never,
    away_seconds: float = math.inf,
    read_seconds: float = _READ_SECONDS,
) -> Run:
    """Waits until a run has ended, whichever process works on it, and returns its last state.

    Asks often at first and twice a second later, and whenever ``wait_run_finished`` returns, which
    it does when a run of this process has ended.

    Raises:
        DatabaseUnavailableError: the database has been away for longer than ``away_seconds``; a
          shorter outage is waited out.
    """
    pause = 0.02 if wait_run_finished is _never else 0.2
    read_at = time.monotonic()
    while True:
        run = await _read(database, run_id, read_seconds)
        if run is not None:
            read_at = time.monotonic()
            if run.state in ENDED:
                return run
        elif time.monotonic() - read_at > away_seconds:
            raise DatabaseUnavailableError(
                f"База недоступна дольше {away_seconds:.0f} с. Запуск {run_id} не отменён: когда"
                f" база вернётся, его итог покажет GET /api/v1/runs/{run_id}."
            )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await wait_run_finished()
        pause = min(pause * 1.5, 0.5)


async def _read(database: Database, run_id: int, seconds: float) -> Run | None:
    """The run as it stands now; None while the database is away."""
    try:
        async with asyncio.timeout(seconds), database.session() as session:
            return await runs.get_run(session, run_id)
    except (DatabaseUnavailableError, TimeoutError):
        return None


async def require_lease(session: AsyncSession, run: RunContext) -> None:
    """Check within a transaction that the run is still this process's.

    Raises:
        LeaseLostError: it is not.
    """
    if not await runs.is_leased(session, run.id, run.token):
        raise LeaseLostError


async def require_run(database: Database, run_id: int) -> Run:
    """The run as it stands now.

    Raises:
        NotFoundError: there is none with this number.
    """
    async with database.session() as session:
        run = await runs.get_run(session, run_id)
    if run is None:
        raise NotFoundError(f"Запуска {run_id} нет: номера запусков — в поле id ответа GET /runs.")
    return run
