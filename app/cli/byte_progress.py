"""Progress of work on a file: a bar on a terminal, periodic lines elsewhere."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from app.cli.console import print_line, screen

_BAR_SECONDS, _LINE_SECONDS = 0.2, 5.0

Measure = Callable[[], int]
Show = Callable[[int], None]


@asynccontextmanager
async def show_bytes(title: str, measure: Measure, total: int | None = None) -> AsyncIterator[None]:
    """Show how many bytes are done while the context is open; ``total``: if it is known."""
    seconds = _BAR_SECONDS if screen.is_terminal else _LINE_SECONDS
    with _open_bar(title, total) if screen.is_terminal else _open_lines(title, total) as show:
        task = asyncio.create_task(_show_forever(measure, show, seconds))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if screen.is_terminal:  # the bar stays
            show(measure())


async def _show_forever(measure: Measure, show: Show, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        show(measure())


@contextmanager
def _open_bar(title: str, total: int | None) -> Iterator[Show]:
    columns = (
        SpinnerColumn(finished_text=" "),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[size]}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=screen) as bars:
        bar = bars.add_task(title, total=total, size="")

        def show(done: int) -> None:
            bars.update(bar, completed=done, size=_describe(done, total))

        yield show
        # Without a total the bar would pulse for ever.
        bars.update(bar, total=total or 1, completed=total or 1)


@contextmanager
def _open_lines(title: str, total: int | None) -> Iterator[Show]:
    print_line(f"{title}…")
    printed = 0

    def show(done: int) -> None:
        nonlocal printed
        if done != printed:
            printed = done
            print_line(f"{title}: {_describe(done, total)}")

    yield show


def _describe(done: int, total: int | None) -> str:
    return format_size(done) if total is None else f"{format_size(done)} из {format_size(total)}"


def format_size(size: int) -> str:
    """Return a number of bytes in megabytes or kilobytes: ``12,3 МБ``, ``340 КБ``."""
    if size < 1_000_000:
        return f"{-(-size // 1000)} КБ"
    return f"{size / 1e6:.1f} МБ".replace(".", ",")
