"""Queue runs, wait for their end, and pass their context to steps."""

import asyncio
import contextlib
import math
import time
import uuid
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar, cast

from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import Clock
from app.database.engine import Database
from app.errors import AppError, DatabaseUnavailableError, NotFoundError
from app.models import Run, RunState
from app.repositories import repeated_runs, run_leases, runs
from app.services.problems import Problem
from app.services.run_params import RunParams

ENDED = frozenset({RunState.DONE, RunState.FAILED, RunState.INTERRUPTED, RunState.MERGED})


@dataclass
class Progress:
    """Progress of a run; the worker stores it every second while the step works."""

    done: int = 0
    total: int | None = None
    figures: dict[str, Any] = field(default_factory=dict)


class Lease:
    """The run's lease, measured by the monotonic clock, so that the wall clock does not affect it.

    ``asked_at`` is when the claim or the renewal was sent. The lease therefore never ends later
    here than in the database.
    """

    def __init__(self, asked_at: float | None = None) -> None:
        self._asked_at = time.monotonic() if asked_at is None else asked_at

    def renew(self, asked_at: float) -> None:
        """Record a committed renewal; ``asked_at`` is a value of ``time.monotonic``."""
        self._asked_at = asked_at

    @property
    def held(self) -> bool:
        """Whether no other process can have claimed the run.

        Check it before an action that cannot be undone.
        """
        return self.seconds_left > 0

    @property
    def seconds_left(self) -> float:
        """Seconds until the lease expires without a renewal; 0 or less: it has expired."""
        return self._asked_at + run_leases.LEASE_SECONDS - time.monotonic()


P = TypeVar("P", bound=RunParams)
P_co = TypeVar("P_co", bound=RunParams, covariant=True)


@dataclass(frozen=True)
class RunContext(Generic[P_co]):
    """The run that a step executes.

    ``token`` identifies the lease. Results are written only while this process holds it.
    """

    id: int
    slot: str | None
    params: P_co
    token: uuid.UUID
    started_at: datetime
    progress: Progress
    repeats: int | None = None
    """The first unfinished run with the same parameters when this run was queued."""
    repeated: Collection[int] = ()
    """Runs with the same parameters that started before this run. Their work is not repeated."""
    lease: Lease = field(default_factory=Lease)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the process stops: the step finishes the work in progress and starts no more."""

    @property
    def done_since(self) -> int:
        """The lowest id of the runs whose results count as results of this run."""
        return self.id if self.repeats is None else self.repeats

    def require_params(self, model: type[P]) -> "RunContext[P]":
        """Return the same run, typed by the model of its parameters.

        Raises:
            TypeError: the parameters are of another model.
        """
        if not isinstance(self.params, model):
            raise TypeError(f"{model.__name__} expected, {type(self.params).__name__} stored")
        return cast("RunContext[P]", self)


@dataclass(frozen=True)
class StepResult:
    """The result of a step.

    ``ok``: False if an account, a recipient or the model failed. ``message``: Russian, for people.
    ``cut_short``: the process stops before the work is done, so the run is queued again.
    """

    ok: bool
    message: str
    figures: dict[str, Any]
    problems: tuple[Problem, ...] = ()
    cut_short: bool = False


class LeaseLostError(AppError):
    """Another process may have claimed the run, so nothing may be written any more."""

    def __init__(self) -> None:
        super().__init__("Запуск перешёл к другому процессу службы: он его и закончит.")


Step = Callable[[RunContext[RunParams]], Awaitable[StepResult]]


async def submit(
    database: Database,
    params: RunParams,
    clock: Clock,
    *,
    slot: str | None = None,
    parent_id: int | None = None,
) -> int:
    """Queue a run and return its ID, or the ID of the run that occupies the slot.

    A forced run stores the ID of the first unfinished run with the same parameters.
    """
    kind, repeats = params.KIND, None
    async with database.transaction() as session:
        if params.is_forced:
            repeats = await repeated_runs.get_first_unfinished(
                session, kind, params.as_json(), now=clock()
            )
        run_id = await runs.add_run(
            session,
            kind,
            now=clock(),
            params=params.as_json(repeats=repeats),
            slot=slot,
            parent_id=parent_id,
        )
        if run_id is not None:
            return run_id
        existing = await runs.get_run_by_slot(session, kind, slot or "")
    if existing is None:
        raise NotFoundError(f"Запуск {kind} {slot} исчез.")
    return existing.id


async def _wait_forever() -> None:
    await asyncio.Event().wait()


_READ_SECONDS = 10.0
"""Timeout of one read; a database that does not answer in that time counts as unavailable."""


async def wait(
    database: Database,
    run_id: int,
    *,
    wait_run_finished: Callable[[], Awaitable[None]] = _wait_forever,
    away_seconds: float = math.inf,
    read_seconds: float = _READ_SECONDS,
) -> Run:
    """Wait until a run has ended, in any process, and return it.

    The run is read with growing pauses of up to half a second, and whenever ``wait_run_finished``
    returns, which it does when a run of this process has ended.

    Raises:
        DatabaseUnavailableError: the database was unavailable for longer than ``away_seconds``.
    """
    pause = 0.02 if wait_run_finished is _wait_forever else 0.2
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
    """Return the current run; None if the database is unavailable."""
    try:
        async with asyncio.timeout(seconds), database.session() as session:
            return await runs.get_run(session, run_id)
    except (DatabaseUnavailableError, TimeoutError):
        return None


async def require_lease(session: AsyncSession, run: RunContext[RunParams]) -> None:
    """Check within a transaction that this process still holds the run's lease.

    Raises:
        LeaseLostError: it does not.
    """
    if not await run_leases.is_leased(session, run.id, run.token):
        raise LeaseLostError


async def require_run(database: Database, run_id: int) -> Run:
    """Return the current state of a run.

    Raises:
        NotFoundError: there is no run with this number.
    """
    async with database.session() as session:
        return await runs.require_run(session, run_id)
