"""Notices jumps of the wall clock: it is compared with the monotonic clock, which nobody sets."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from app.clock import Clock, Monotonic

log = structlog.get_logger(__name__)

TOLERANCE = timedelta(seconds=5)
"""What is due is found within seconds of its time, so a smaller difference changes nothing."""
REPORTED_SECONDS = 3600.0
"""How long after a jump the clock counts as ``jumped``."""


@dataclass(frozen=True)
class ClockJump:
    """A change of the wall clock: by how many seconds (forward is positive), and the moment that it
    showed when this was noticed.
    """

    seconds: float
    at: datetime


class ClockWatch:
    """The wall clock as compared with the monotonic clock since the start or the last jump, so that
    small steps add up.
    """

    def __init__(self, clock: Clock, monotonic: Monotonic = time.monotonic) -> None:
        self._clock = clock
        self._monotonic = monotonic
        self._last: ClockJump | None = None
        self._noticed_at = 0.0
        self._now, self._at = clock(), monotonic()
        self.jumps = 0
        """How many were noticed since the process started."""

    def look(self) -> ClockJump | None:
        """The jump since the last look; it is logged and counted once."""
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
        """The last jump, if it was noticed within the last hour."""
        return (
            self._last
            if self._last and self._monotonic() - self._noticed_at < REPORTED_SECONDS
            else None
        )
