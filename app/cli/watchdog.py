"""Watchdog: ends a service that has stopped working, so that its supervisor restarts it."""

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
"""The process ends if the worker, the scheduler or the event loop has no success for this long."""
_POLL_SECONDS = 15.0
_TURN = "turn"


@asynccontextmanager
async def run_watchdog(
    heartbeats: Heartbeats,
    may_exit: Callable[[], bool],
    *,
    dead_seconds: float = DEAD_SECONDS,
    poll_seconds: float = _POLL_SECONDS,
) -> AsyncIterator[asyncio.Task[None]]:
    """Watch the parts of the process; yield a task that fails with ``StalledError`` if one is dead.

    A thread watches the event loop. It ends the process if the loop is blocked or if the orderly
    exit takes too long. The process continues while ``may_exit`` returns False: then it holds in
    memory something that is not written yet.
    """
    watchdog = _Watchdog(heartbeats, may_exit, dead_seconds, poll_seconds)
    threading.Thread(target=watchdog.watch_loop, name="watchdog", daemon=True).start()
    task = asyncio.create_task(watchdog.watch_parts(), name="watchdog")
    try:
        yield task
    finally:
        watchdog.stop()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class _Watchdog:
    def __init__(
        self,
        heartbeats: Heartbeats,
        may_exit: Callable[[], bool],
        dead_seconds: float,
        poll_seconds: float,
    ) -> None:
        self._heartbeats = heartbeats
        self._may_exit = may_exit
        self._dead_seconds = dead_seconds
        self._poll_seconds = poll_seconds
        self._loop = Heartbeat()
        self._loop.start(_TURN)
        self._main = threading.get_ident()
        self._stopped = threading.Event()
        self._failed = threading.Event()

    async def watch_parts(self) -> None:
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
            await asyncio.sleep(self._poll_seconds)

    def stop(self) -> None:
        """Stop watching, unless the process is to end."""
        self._stopped.set()

    def watch_loop(self) -> None:
        """Watch the event loop from a thread."""
        while not self._stopped.wait(self._poll_seconds) and not self._failed.is_set():
            if (self._loop.age_seconds or 0) > self._dead_seconds and self._may_exit():
                end_at_once(
                    "watchdog.loop_blocked", seconds=self._dead_seconds, at=self._locate_loop()
                )
        if self._failed.is_set():
            threading.Event().wait(END_SECONDS)
            end_at_once("watchdog.end_too_slow", seconds=END_SECONDS)

    def _locate_loop(self) -> list[str]:
        """Return the position of the event loop's thread as files and lines, innermost last."""
        stack = traceback.extract_stack(sys._current_frames()[self._main])
        return [f"{frame.filename}:{frame.lineno}" for frame in stack[-5:]]
