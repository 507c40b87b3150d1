"""How far a run is: a bar on a terminal, a line now and then elsewhere."""

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

from app.cli.console import say, screen
from app.database.engine import Database
from app.errors import DatabaseUnavailableError
from app.models import Run, RunState
from app.services.runs import ENDED, require_run

_LOOK_SECONDS = 0.2
_LINE_SECONDS = 5.0
"""Where no bar can be drawn, how often a line tells how far things are."""
_QUEUED_SECONDS = 1.5
"""A run that waits longer than this waits for another of its kind."""
_AWAY_SECONDS = 60.0
"""How long an outage of the database is waited out: twice the lease, after which the run is
nobody's.
"""

Show = Callable[[Run], None]


async def watch(database: Database, run_id: int, title: str) -> Run:
    """Shows how far a run is, whichever process works on it, and returns it when it has ended.

    Raises:
        DatabaseUnavailableError: the database has been away for longer than the run's lease.
    """
    heard_at = time.monotonic()
    with _progress(title) as show:
        while True:
            try:
                run = await require_run(database, run_id)
            except DatabaseUnavailableError:
                if time.monotonic() - heard_at > _AWAY_SECONDS:
                    raise
            else:
                heard_at = time.monotonic()
                show(run)
                if run.state in ENDED:
                    return run
            await asyncio.sleep(_LOOK_SECONDS)


@contextmanager
def _progress(title: str) -> Iterator[Show]:
    with _bar(title) if screen.is_terminal else _lines(title) as show:
        yield show


@contextmanager
def _bar(title: str) -> Iterator[Show]:
    columns = (
        SpinnerColumn(finished_text=" "),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=screen) as bars:
        bar = bars.add_task(f"{title:<14}", total=None)
        begun_at = time.monotonic()

        def show(run: Run) -> None:
            waits = run.state == RunState.QUEUED and time.monotonic() - begun_at > _QUEUED_SECONDS
            words = f"{title} (ждёт: идёт другой такой же запуск)" if waits else f"{title:<14}"
            # Without this a run that found nothing to do would pulse for ever.
            total = (
                run.progress_done
                if run.state in ENDED and run.progress_total is None
                else run.progress_total
            )
            bars.update(bar, description=words, completed=run.progress_done, total=total)

        yield show


@contextmanager
def _lines(title: str) -> Iterator[Show]:
    say(f"{title}…")
    begun_at = said_at = time.monotonic()
    told: tuple[str, int] | None = None

    def show(run: Run) -> None:
        nonlocal said_at, told
        now = time.monotonic()
        if run.state == RunState.QUEUED and told is None and now - begun_at > _QUEUED_SECONDS:
            told = (run.state, 0)
            say(f"{title}: ждёт, пока кончится другой такой же запуск.")
        if (
            run.progress_total
            and now - said_at > _LINE_SECONDS
            and told != (run.state, run.progress_done)
        ):
            said_at, told = now, (run.state, run.progress_done)
            say(f"{title}: {run.progress_done} из {run.progress_total}")

    yield show
