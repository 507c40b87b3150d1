"""Delivery attempts that must outlive their run.

The mail server may already have the mail while the database does not yet record it.
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
"""How long a stopping service waits for the reply to a final dot.

Its supervisor allows ten seconds in total.
"""
_ABORT_SECONDS = 3.0
"""How long an attempt may take to close its connection and release its claim."""
_LAST_SECONDS = 1.0
"""How long the exiting process waits for unfinished attempts."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0


class MailAttempt(Protocol[Result_co]):
    """One attempt of a delivery."""

    @property
    def past_dot(self) -> bool:
        """Whether the mail server may have the mail."""

    @property
    def stopping(self) -> bool:
        """Whether the service is stopping."""

    def make(self) -> Coroutine[Any, Any, Result_co]:
        """Execute the attempt."""


class Arrivals:
    """The running attempts of this process, and arrivals that are not yet in the database.

    An acknowledged arrival is kept for the life of the process, even if its run ends.
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
        """Wait briefly for pending writes, then cancel the rest: the process is exiting."""
        if self._attempts:
            await asyncio.wait(self._attempts, timeout=_LAST_SECONDS)
        for attempt in list(self._attempts):
            attempt.cancel()
        await asyncio.gather(*self._attempts, return_exceptions=True)
        if self._unwritten:
            log.error("mail.arrivals_lost", deliveries=sorted(self._unwritten))

    @property
    def unwritten(self) -> int:
        """Number of acknowledged deliveries that are not in the database.

        The process must not exit while there are any.
        """
        return len(self._unwritten)

    def __contains__(self, delivery_id: int) -> bool:
        return delivery_id in self._unwritten

    async def run_to_completion(self, attempt: MailAttempt[Result_co]) -> Result_co:
        """Execute an attempt in a separate task.

        A cancellation of the caller cancels the task only before the final dot. After the dot the
        task continues, and its result is written under its claim. If the service is stopping, the
        caller waits for the task.
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
            # Retry after any error: without the record the mail would be sent twice.
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
            # The caller may be gone, and asyncio warns about an exception that is never retrieved.
            task.exception()


async def _wait_despite_cancel(task: asyncio.Task[Any], seconds: float) -> None:
    """Wait for a task and ignore cancellation, which the worker repeats every second."""
    deadline = time.monotonic() + seconds
    while not task.done() and (left := deadline - time.monotonic()) > 0:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait({task}, timeout=left)
