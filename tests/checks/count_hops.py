"""Count the files and functions of ``app`` that one chat enters from ``POST /avito/sync`` to its
mail.

Run as ``python -m tests.checks.count_hops``; ``--list`` also prints them. Only the main thread of
the service and of its worker process is profiled. Start-up, the sandbox's servers and code at
import time are excluded. Lambdas and comprehensions count as part of the function that contains
them.
"""

import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import CodeType, FrameType

from app.database.embedded import embedded_postgres
from app.database.engine import Database
from app.database.migrate import migrate
from app.log import configure_logging
from app.sandbox.avito import LocalAvito
from app.sandbox.server import Sandbox
from app.services.analysis.worker_pool import WorkerPool
from tests.support.checkout import CHECKOUT
from tests.support.stage import GOOD_TALK, Stage, on_stage

APP = f"{CHECKOUT / 'app'}/"

_WORKER_PROFILE = """
import sys

seen, started = set(), False

def record(frame, event, argument):
    global started
    code = frame.f_code
    if event != "call" or not code.co_filename.startswith({app!r}):
        return
    started = started or code.co_name == {first!r}
    if started and code not in seen:
        seen.add(code)
        with open({report!r}, "a", encoding="utf-8") as report:
            print(code.co_filename, code.co_qualname, file=report)

sys.setprofile(record)
"""
"""``sitecustomize`` of a worker process. The process is killed at the end, so each function is
written at once.
"""
_FIRST_CALL = "_receive"
"""The function that a worker process enters after its start-up."""


async def count_hops() -> set[tuple[str, str]]:
    """Return the file and the qualified name of every function that was entered."""
    with tempfile.TemporaryDirectory() as folder, _profiled_workers(Path(folder)) as report:
        entered: set[CodeType] = set()

        def record(frame: FrameType, event: str, argument: object) -> None:
            if event == "call":
                entered.add(frame.f_code)

        async with _stage(Path(folder)) as stage:
            stage.add_talk(*GOOD_TALK)
            sys.setprofile(record)
            await stage.sync()
            await stage.analyze()
            await stage.mail()
            sys.setprofile(None)
            assert len(stage.sandbox.smtp.messages) == len(stage.service.settings.report_recipients)
        main = {(code.co_filename, code.co_qualname) for code in entered}
        return {_outermost(*hop) for hop in main | set(_of_worker(report)) if _is_hop(*hop)}


@contextmanager
def _profiled_workers(folder: Path) -> Iterator[Path]:
    """Have worker processes, which inherit ``sys.path``, profile themselves into a file."""
    report = folder / "worker.txt"
    report.touch()
    source = _WORKER_PROFILE.format(app=APP, report=str(report), first=_FIRST_CALL)
    (folder / "sitecustomize.py").write_text(source, encoding="utf-8")
    sys.path.insert(0, str(folder))
    try:
        yield report
    finally:
        sys.path.remove(str(folder))


@asynccontextmanager
async def _stage(folder: Path) -> AsyncIterator[Stage]:
    """An open service over an empty database; its worker process has answered nothing yet."""
    async with embedded_postgres(folder / "pg", durable=False) as url:
        database = Database(url)
        await migrate(database)
        await database.close()
        async with (
            WorkerPool(1) as graders,
            Sandbox(avito=LocalAvito()) as sandbox,
            on_stage(url, sandbox, graders=graders) as stage,
        ):
            yield stage


def _of_worker(report: Path) -> Iterator[tuple[str, str]]:
    for line in report.read_text(encoding="utf-8").splitlines():
        file, _, name = line.partition(" ")
        yield file, name


def _is_hop(file: str, name: str) -> bool:
    return file.startswith(APP) and not file.startswith(f"{APP}sandbox/") and name != "<module>"


def _outermost(file: str, name: str) -> tuple[str, str]:
    """The function that contains a lambda or a comprehension."""
    parts = [part for part in name.split(".") if part != "<locals>"]
    while len(parts) > 1 and parts[-1].startswith("<"):
        parts.pop()
    return file.removeprefix(APP), ".".join(parts)


def main() -> None:
    """Print the counts, and with ``--list`` each file with its functions."""
    configure_logging("WARNING", "json")
    hops = asyncio.run(count_hops())
    files = Counter(file for file, _ in hops)
    if "--list" in sys.argv:
        for file in sorted(files):
            print(f"{file}: {', '.join(sorted(name for other, name in hops if other == file))}")
    print(f"files: {len(files)}, functions: {len(hops)}")


if __name__ == "__main__":
    main()
