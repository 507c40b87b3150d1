"""What endpoints ask for by type: the database, the clock, the settings, a way to start a run."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Request

from app.api.attempts import FailedAttempts
from app.clock import Clock
from app.config import Settings
from app.database.engine import Database
from app.grading.rubric import Rubric
from app.jobs.clock_watch import ClockWatch
from app.jobs.heartbeat import Heartbeats
from app.jobs.tick import Timetable


@dataclass(frozen=True)
class Backend:
    """What stands behind the endpoints.

    ``wake`` tells the process's worker that a run was queued; ``wait_run_finished`` returns when it
    has ended one.
    """

    settings: Settings
    database: Database
    clock: Clock
    timetable: Timetable
    rubric: Rubric
    wake: Callable[[], None]
    wait_run_finished: Callable[[], Awaitable[None]]
    heartbeats: Heartbeats
    clock_watch: ClockWatch
    failed_attempts: FailedAttempts = field(default_factory=FailedAttempts)


def get_backend(request: Request) -> Backend:
    """The backend that the application was built with."""
    return cast("Backend", request.app.state.backend)


BackendDep = Annotated[Backend, Depends(get_backend)]
