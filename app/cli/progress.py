"""Progress of a run: a bar on a terminal, periodic lines elsewhere."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from app.cli.console import print_line, screen
from app.database.engine import Database
from app.errors import DatabaseUnavailableError
from app.models import Run, RunState
from app.services.runs import ENDED, require_run

_POLL_SECONDS = 0.2
_LINE_SECONDS = 5.0
"""Interval of the progress lines where no bar can be drawn."""
_QUEUED_SECONDS = 1.5
"""A run that is queued longer than this is waiting for another run of its kind."""
_OUTAGE_SECONDS = 60.0
"""Longest tolerated outage of the database: twice the lease, after which the run has no owner."""

Show = Callable[[Run], None]


async def watch(database: Database, run_id: int, title: str) -> Run:
    """Show the progress of a run of any process, and return the run when it has ended.

    Raises:
        DatabaseUnavailableError: the database was unavailable for longer than the run's lease.
    """
    last_read_at = time.monotonic()
    with _open_progress(title) as show:
        while True:
            try:
                run = await require_run(database, run_id)
            except DatabaseUnavailableError:
                if time.monotonic() - last_read_at > _OUTAGE_SECONDS:
                    raise
            else:
                last_read_at = time.monotonic()
                show(run)
                if run.state in ENDED:
                    return run
            await asyncio.sleep(_POLL_SECONDS)


@contextmanager
def _open_progress(title: str) -> Iterator[Show]:
    with _open_bar(title) if screen.is_terminal else _open_lines(title) as show:
        yield show


@contextmanager
def _open_bar(title: str) -> Iterator[Show]:
    columns = (
        SpinnerColumn(finished_text=" "),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=screen) as bars:
        bar = bars.add_task(f"{title:<14}", total=None)
        started_at = time.monotonic()

        def show(run: Run) -> None:
            is_waiting = (
                run.state == RunState.QUEUED and time.monotonic() - started_at > _QUEUED_SECONDS
            )
            description = (
                f"{title} (ждёт: идёт другой такой же запуск)" if is_waiting else f"{title:<14}"
            )
            # Without a total the bar of a run that had nothing to do would pulse for ever.
            total = (
                run.progress_done
                if run.state in ENDED and run.progress_total is None
                else run.progress_total
            )
            bars.update(bar, description=description, completed=run.progress_done, total=total)

        yield show


@contextmanager
def _open_lines(title: str) -> Iterator[Show]:
    print_line(f"{title}…")
    started_at = printed_at = time.monotonic()
    printed: tuple[str, int] | None = None

    def show(run: Run) -> None:
        nonlocal printed_at, printed
        now = time.monotonic()
        if run.state == RunState.QUEUED and printed is None and now - started_at > _QUEUED_SECONDS:
            printed = (run.state, 0)
            print_line(f"{title}: ждёт, пока кончится другой такой же запуск.")
        if (
            run.progress_total
            and now - printed_at > _LINE_SECONDS
            and printed != (run.state, run.progress_done)
        ):
            printed_at, printed = now, (run.state, run.progress_done)
            print_line(f"{title}: {run.progress_done} из {run.progress_total}")

    yield show
