"""Detects jumps of the wall clock.

The wall clock is compared with the monotonic clock, which cannot be set.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from app.clock import Clock, Monotonic

log = structlog.get_logger(__name__)

TOLERANCE = timedelta(seconds=5)
"""A smaller difference changes nothing: due runs are found within seconds."""
REPORTED_SECONDS = 3600.0
"""Time after a jump in which the health check reports it."""


@dataclass(frozen=True)
class ClockJump:
    """A change of the wall clock.

    ``seconds``: forward is positive. ``at``: the time of the changed clock when the jump was
    detected.
    """

    seconds: float
    at: datetime


class ClockWatch:
    """Compares the wall clock with the monotonic clock.

    The comparison spans the time since the start or the last jump, so small steps add up.
    """

    def __init__(self, clock: Clock, monotonic: Monotonic = time.monotonic) -> None:
        self._clock = clock
        self._monotonic = monotonic
        self._last: ClockJump | None = None
        self._noticed_at = 0.0
        self._now, self._at = clock(), monotonic()
        self.jumps = 0
        """Number of jumps detected since the process started."""

    def look(self) -> ClockJump | None:
        """Return the jump since the last look; it is logged and counted once."""
        now, at = self._clock(), self._monotonic()
        jumped = (now - self._now) - timedelta(seconds=at - self._at)
        if abs(jumped) < TOLERANCE:
            return None
        self._now, self._at = now, at
        self.jumps += 1
        self._last, self._noticed_at = ClockJump(round(jumped.total_seconds(), 1), now), at
        log.warning("clock.jumped", jump_seconds=self._last.seconds, clock_shows=now.isoformat())
        return self._last

    @property
    def recent(self) -> ClockJump | None:
        """The last jump, if it was detected within the last hour."""
        return (
            self._last
            if self._last and self._monotonic() - self._noticed_at < REPORTED_SECONDS
            else None
        )
