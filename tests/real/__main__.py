"""`make check-real`: run the trials with the programs of Debian packages and print a table.

``TRIALS=pgbouncer,addresses`` runs only these. ``POSTGRES_BIN=/a/bin:/b/*/bin`` adds
versions of Postgres.
"""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from app.log import configure_logging
from tests.real import addresses, backups, caddy, nginx, postfix, prometheus
from tests.real.day_trials import run_pooled_day, run_restricted_day
from tests.real.days import Row
from tests.real.postgres import PostgresServer, start_postgres
from tests.real.programs import find_postgres_folders, find_program, is_debian

_OK, _FAILED, _MISSING, _SKIPPED = "ok", "FAILED", "MISSING", "skipped"


@dataclass(frozen=True)
class Trial:
    """A trial with a Postgres and other programs.

    - ``programs``: names of programs and of their Debian packages.
    - ``each_version``: run with every Postgres that is found, otherwise with Debian's newest one.
    - ``optional``: a missing program does not fail the run.
    """

    run: Callable[[PostgresServer, Path], Awaitable[list[Row]]]
    programs: tuple[str, ...] = ()
    each_version: bool = False
    optional: bool = False


def on_new_database(
    run: Callable[[str, Path], Awaitable[list[Row]]],
) -> Callable[[PostgresServer, Path], Awaitable[list[Row]]]:
    """Return a trial that needs no more of Postgres than the address of an empty database."""

    async def run_on_server(server: PostgresServer, folder: Path) -> list[Row]:
        name = await server.create_database()
        place = folder / name
        place.mkdir()
        return await run(server.url(name), place)

    return run_on_server


TRIALS: dict[str, Trial] = {
    "versions": Trial(run_restricted_day, each_version=True),
    "pgbouncer": Trial(run_pooled_day, ("pgbouncer",)),
    "addresses": Trial(addresses.run_trial, ("pgbouncer",)),
    "backup": Trial(on_new_database(backups.run_trial), each_version=True),
    "prometheus": Trial(on_new_database(prometheus.run_trial), ("prometheus",)),
    "nginx": Trial(on_new_database(nginx.run_trial), ("nginx",)),
    "caddy": Trial(on_new_database(caddy.run_trial), ("caddy",), optional=True),
    "postfix": Trial(on_new_database(postfix.run_trial), ("postfix",)),
}


@dataclass(frozen=True)
class Line:
    """A line of the table."""

    trial: str
    what: str
    figure: str
    result: str


def choose_trials(names: str) -> list[str]:
    """Return the trials of a list with commas; all of them if it is empty."""
    chosen = [name.strip() for name in names.split(",") if name.strip()] or list(TRIALS)
    if unknown := sorted(set(chosen) - set(TRIALS)):
        raise SystemExit(
            f"TRIALS: no such trial: {', '.join(unknown)}; there are: {', '.join(TRIALS)}"
        )
    return chosen


def list_missing(trial: Trial, find: Callable[[str], str | None] = find_program) -> list[str]:
    """Return the programs of a trial that are not installed."""
    return [program for program in trial.programs if find(program) is None]


async def main(folder: Path) -> int:
    """Run the trials, print the table and return the exit code."""
    configure_logging("ERROR", "console")
    lines: list[Line] = []
    names = choose_trials(os.environ.get("TRIALS", ""))
    versions = find_postgres_folders()
    if not versions:
        _print([Line("all", "apt-get install postgresql", "", _MISSING)])
        return 1
    main_version = next((found for found in reversed(versions) if is_debian(found)), versions[-1])
    for number, programs in enumerate(versions):
        due = [name for name in names if TRIALS[name].each_version or programs == main_version]
        place = folder / str(number)
        place.mkdir(mode=0o755)
        async with start_postgres(programs, place / "postgres") as server:
            for name in due:
                lines += await _run_trial(name, server, place)
    _print(lines)
    return int(any(line.result in (_FAILED, _MISSING) for line in lines))


async def _run_trial(name: str, server: PostgresServer, folder: Path) -> list[Line]:
    trial = TRIALS[name]
    if missing := list_missing(trial):
        result = _SKIPPED if trial.optional else _MISSING
        return [Line(name, f"apt-get install {' '.join(missing)}", "", result)]
    print(f"{name} with Postgres {server.version} …", file=sys.stderr)
    try:
        rows = await trial.run(server, folder)
    except Exception as error:  # the other trials still run
        reason = f"{type(error).__name__}: {error}"
        return [Line(name, f"Postgres {server.version}", reason, _FAILED)]
    return [Line(name, what, figure, _OK) for what, figure in rows]


def _print(lines: list[Line]) -> None:
    table = Table("trial", "what", "figure", "result")
    for line in lines:
        table.add_row(line.trial, line.what, line.figure, line.result)
    Console(width=140).print(table)


async def run_until_signal(folder: Path) -> int:
    """Run the trials; a signal ends them, and their servers are stopped."""
    task = asyncio.create_task(main(folder))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        return 1


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="check-real-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        raise SystemExit(asyncio.run(run_until_signal(Path(name))))
