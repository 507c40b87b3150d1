"""Help with the grading run of another process."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable

import structlog

from app.database.engine import Database
from app.errors import DatabaseUnavailableError
from app.models import Run
from app.repositories import run_parts

log = structlog.get_logger(__name__)

HelpWithRun = Callable[[Run, asyncio.Event], Awaitable[None]]
"""Grades chats of a run until none is left or the event is set."""
Help = Callable[[asyncio.Event], Awaitable[None]]
"""Helps with a run of another process, if there is one; ends soon after the event."""
_MOST_REMEMBERED = 100


class Helping:
    """The task in which a worker helps, one at a time."""

    def __init__(self, stopping: asyncio.Event) -> None:
        """``stopping``: set when the process stops."""
        self._stopping = stopping
        self.help_once: Help | None = None
        self.tasks = set[asyncio.Task[None]]()

    def start(self) -> None:
        """Look for a run to help with, unless the worker is helping."""
        if self.help_once is not None and not self.tasks:
            task = asyncio.create_task(self._help_safely(self.help_once), name="help")
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def _help_safely(self, help_once: Help) -> None:
        try:
            await help_once(self._stopping)
        except (DatabaseUnavailableError, TimeoutError) as error:
            log.warning("help.stopped", error=str(error) or "timeout")
        except Exception:  # the top of a job: the next poll tries again after any error
            log.exception("help.failed")


class Helper:
    """Finds a run that other processes may join, and helps with it once.

    ``limit``: requests that all processes may have in flight; each one needs at least one.
    """

    def __init__(self, database: Database, limit: int, help_with_run: HelpWithRun) -> None:
        self._database = database
        self._limit = limit
        self._help_with_run = help_with_run
        self._left: list[uuid.UUID] = []

    async def help_once(self, stopping: asyncio.Event) -> None:
        """Help with a run until no chat is left for this process; return at once if there is none.

        ``stopping``: finish the chats in progress and begin no more.
        """
        run = await self._find_run()
        if run is None or run.help_token is None or stopping.is_set():
            return
        # Its last chats are graded by others: joining again would only divide the requests.
        self._left = [*self._left[1 - _MOST_REMEMBERED :], run.help_token]
        log.info("help.started", run=run.id)
        ending = asyncio.Event()
        forwarding = asyncio.create_task(_forward(stopping, ending), name="help-stop")
        try:
            await self._help_with_run(run, ending)
        finally:
            forwarding.cancel()
            log.info("help.ended", run=run.id)

    async def _find_run(self) -> Run | None:
        async with self._database.session() as session:
            run = await run_parts.find_open_run(session, self._left)
            if run is None:
                return None
            live = sum(part.is_live for part in await run_parts.list_parts(session))
            return run if live < self._limit else None


async def _forward(source: asyncio.Event, target: asyncio.Event) -> None:
    await source.wait()
    target.set()
