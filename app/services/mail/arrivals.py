"""Attempts that have to outlive their run: the mail server may have the mail, and the table does
not say so yet.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

import structlog

log = structlog.get_logger(__name__)

Result_co = TypeVar("Result_co", covariant=True)

FINISH_SECONDS = 5.0
"""How long a service that is told to stop waits for the reply to a final dot. Its supervisor allows
ten seconds for everything.
"""
_ABORT_SECONDS = 3.0
"""How long an attempt may take to close its connection and to give its claim back."""
_LAST_SECONDS = 1.0
"""How long the end of the process waits for what is still under way."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0


class MailAttempt(Protocol[Result_co]):
    """One attempt at a delivery."""

    @property
    def past_dot(self) -> bool:
        """Whether the mail server may have the mail."""

    @property
    def stopping(self) -> bool:
        """Whether the service has been told to stop."""

    def make(self) -> Coroutine[Any, Any, Result_co]:
        """Carry it out."""


class Arrivals:
    """The attempts under way in this process and the arrivals that the database has not accepted
    yet.

    An acknowledged arrival is held for as long as the process lives, whatever becomes of the run
    that produced it.
    """

    def __init__(self, *, finish_seconds: float = FINISH_SECONDS) -> None:
        self._finish_seconds = finish_seconds
        self._attempts: set[asyncio.Task[Any]] = set()
        self._unwritten: set[int] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait a moment for what can be written, then drop the rest: the process ends."""
        if self._attempts:
            await asyncio.wait(self._attempts, timeout=_LAST_SECONDS)
        for attempt in list(self._attempts):
            attempt.cancel()
        await asyncio.gather(*self._attempts, return_exceptions=True)
        if self._unwritten:
            log.error("mail.arrivals_lost", deliveries=sorted(self._unwritten))

    @property
    def unwritten(self) -> int:
        """How many acknowledged deliveries the database does not know of. The process must not exit
        while there is one.
        """
        return len(self._unwritten)

    def __contains__(self, delivery_id: int) -> bool:
        return delivery_id in self._unwritten

    async def see_through(self, attempt: MailAttempt[Result_co]) -> Result_co:
        """Carry an attempt out in a task of its own, which a cancellation of the caller ends only
        before the final dot.

        After the dot the task goes on: its result is still written under its claim. If the service
        is stopping, the caller waits for it.
        """
        task = asyncio.create_task(attempt.make())
        self._attempts.add(task)
        task.add_done_callback(self._forget)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if not attempt.past_dot:
                task.cancel()
                await _wait_despite_cancel(task, _ABORT_SECONDS)
            elif attempt.stopping:
                await _wait_despite_cancel(task, self._finish_seconds)
            raise

    async def write(self, delivery_id: int, write: Callable[[], Awaitable[None]]) -> None:
        """Call ``write`` until it succeeds, with growing pauses."""
        self._unwritten.add(delivery_id)
        pause = _FIRST_PAUSE
        while True:
            try:
                await write()
            # whatever keeps the database from it: to forget the arrival is to send the mail twice
            except Exception as error:
                log.warning(
                    "mail.arrival_not_written", delivery=delivery_id, error=type(error).__name__
                )
            else:
                self._unwritten.discard(delivery_id)
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._attempts.discard(task)
        if not task.cancelled():
            # the caller may be gone; asyncio warns about an exception that is never retrieved
            task.exception()


async def _wait_despite_cancel(task: asyncio.Task[Any], seconds: float) -> None:
    """Wait for a task; the worker repeats its cancellation every second."""
    deadline = time.monotonic() + seconds
    while not task.done() and (left := deadline - time.monotonic()) > 0:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait({task}, timeout=left)
