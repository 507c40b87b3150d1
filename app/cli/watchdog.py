"""Ends a service that does not work any more, so that its supervisor starts it anew."""

import asyncio
import sys
import threading
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog

from app.cli.process import END_SECONDS, end_at_once
from app.errors import StalledError
from app.jobs.heartbeat import Heartbeat, Heartbeats

log = structlog.get_logger(__name__)

DEAD_SECONDS = 600.0
"""After so long without a success of the worker, of the scheduler or of the event loop the process
ends.
"""
_LOOK_SECONDS = 5.0
_TURN = "turn"


@asynccontextmanager
async def watched(
    heartbeats: Heartbeats,
    may_exit: Callable[[], bool],
    *,
    dead_seconds: float = DEAD_SECONDS,
    look_seconds: float = _LOOK_SECONDS,
) -> AsyncIterator[asyncio.Task[None]]:
    """Watch the parts of the process; yields a task that fails with ``StalledError`` when one of
    them is dead.

    A thread watches the event loop, and ends the process if it is blocked, or if the end in order
    takes too long. The process goes on while ``may_exit`` returns False: something that only its
    memory holds is not written yet.
    """
    watchdog = _Watchdog(heartbeats, may_exit, dead_seconds, look_seconds)
    threading.Thread(target=watchdog.guard, name="watchdog", daemon=True).start()
    task = asyncio.create_task(watchdog.watch(), name="watchdog")
    try:
        yield task
    finally:
        watchdog.leave()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class _Watchdog:
    def __init__(
        self,
        heartbeats: Heartbeats,
        may_exit: Callable[[], bool],
        dead_seconds: float,
        look_seconds: float,
    ) -> None:
        self._heartbeats = heartbeats
        self._may_exit = may_exit
        self._dead_seconds = dead_seconds
        self._look_seconds = look_seconds
        self._loop = Heartbeat()
        self._loop.start(_TURN)
        self._main = threading.get_ident()
        self._left = threading.Event()
        self._failed = threading.Event()

    async def watch(self) -> None:
        while True:
            self._loop.beat(_TURN)
            dead = self._heartbeats.list_stale(self._dead_seconds)
            if dead and self._may_exit():
                log.critical("watchdog.stalled", parts=dead, seconds=self._dead_seconds)
                self._failed.set()
                raise StalledError(
                    f"Не работает дольше {self._dead_seconds:.0f} с: {', '.join(dead)}; причина в"
                    " журнале. Запустите снова."
                )
            await asyncio.sleep(self._look_seconds)

    def leave(self) -> None:
        """Stop watching, unless the process is to end."""
        self._left.set()

    def guard(self) -> None:
        """Watch the event loop from outside of it."""
        while not self._left.wait(self._look_seconds) and not self._failed.is_set():
            if (self._loop.age_seconds or 0) > self._dead_seconds and self._may_exit():
                end_at_once(
                    "watchdog.loop_blocked", seconds=self._dead_seconds, at=self._blocked_at()
                )
        if self._failed.is_set():
            threading.Event().wait(END_SECONDS)
            end_at_once("watchdog.end_too_slow", seconds=END_SECONDS)

    def _blocked_at(self) -> list[str]:
        """Where the event loop's thread stands: files and lines, the innermost last."""
        stack = traceback.extract_stack(sys._current_frames()[self._main])
        return [f"{frame.filename}:{frame.lineno}" for frame in stack[-5:]]
