"""Times of the last successes of the parts of the process, by the monotonic clock."""

import time
from dataclasses import dataclass, field

from app.clock import Monotonic

STALE_SECONDS = 60.0
"""Age of the last success from which the process is not ready."""


class Heartbeat:
    """Times of the last success of each task of one part of the process.

    A part that does not run has no tasks and no age.
    """

    def __init__(self, monotonic: Monotonic = time.monotonic) -> None:
        self._monotonic = monotonic
        self._beats: dict[str, float] = {}

    def start(self, *tasks: str) -> None:
        """Expect successes of these tasks; the start counts as the first."""
        self._beats = dict.fromkeys(tasks, self._monotonic())

    def stop(self) -> None:
        """Expect no successes any more."""
        self._beats = {}

    def beat(self, task: str) -> None:
        """Record a success of a task that is expected."""
        if task in self._beats:
            self._beats[task] = self._monotonic()

    @property
    def age_seconds(self) -> float | None:
        """Seconds since the last success of the task that has waited longest.

        None if the part does not run.
        """
        oldest = min(list(self._beats.values()), default=None)
        return None if oldest is None else self._monotonic() - oldest


@dataclass(frozen=True)
class Heartbeats:
    """The heartbeats of the worker and the scheduler."""

    worker: Heartbeat = field(default_factory=Heartbeat)
    scheduler: Heartbeat = field(default_factory=Heartbeat)

    @classmethod
    def by(cls, monotonic: Monotonic) -> "Heartbeats":
        """Return heartbeats measured by this clock."""
        return cls(Heartbeat(monotonic), Heartbeat(monotonic))

    @property
    def ages(self) -> dict[str, float]:
        """Seconds since the last success of each part that runs, by its name."""
        parts = {"worker": self.worker.age_seconds, "scheduler": self.scheduler.age_seconds}
        return {name: age for name, age in parts.items() if age is not None}

    def list_stale(self, seconds: float = STALE_SECONDS) -> list[str]:
        """Return the parts without a success for longer than ``seconds``."""
        return [name for name, age in self.ages.items() if age > seconds]
