"""The program as its user has it: a process of its own, with nothing of our environment.

It is forked from a process that has imported the program already (``multiprocessing``'s fork
server): importing it takes most of a second of processor time, and the suite starts it fifty times.
``python -m app`` from nothing is tried in ``tests/cli/test_usage.py``.
"""

import asyncio
import multiprocessing
import os
import pkgutil
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import app.cli
from app.__main__ import main

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        __name__,
        "app.__main__",
        *(f"app.cli.{module.name}" for module in pkgutil.iter_modules(app.cli.__path__)),
    ]
)


class Program:
    """A running program: its output, signals to it, its end."""

    def __init__(
        self, process: ForkServerProcess, stdout: asyncio.StreamReader, stderr: asyncio.StreamReader
    ) -> None:
        self._process = process
        self.stdout = stdout
        self.stderr = stderr

    @property
    def returncode(self) -> int | None:
        """The exit code; minus the signal that ended it; None while it runs."""
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        assert self._process.pid
        if self.returncode is None:
            with suppress(ProcessLookupError):  # it has just ended
                os.kill(self._process.pid, number)

    async def wait(self) -> int:
        """Waits for the end; the exit code."""
        await asyncio.to_thread(self._process.join)
        assert self.returncode is not None
        return self.returncode

    async def communicate(self) -> tuple[bytes, bytes]:
        """Waits for the end; what was printed and not read yet, to stdout and to stderr."""
        out, err, _ = await asyncio.gather(self.stdout.read(), self.stderr.read(), self.wait())
        return out, err


@asynccontextmanager
async def started(
    folder: Path, *words: str, environment: Mapping[str, str]
) -> AsyncIterator[Program]:
    """``python -m app`` with these words, in a folder; killed at the end if it still runs."""
    (out, out_end), (err, err_end) = _FORKS.Pipe(duplex=False), _FORKS.Pipe(duplex=False)
    process = _FORKS.Process(
        target=_become, args=(folder, words, {"LANG": "C.UTF-8", **environment}, out_end, err_end)
    )
    process.start()
    out_end.close()
    err_end.close()
    async with _reading(out) as stdout, _reading(err) as stderr:
        program = Program(process, stdout, stderr)
        try:
            yield program
        finally:
            program.send_signal(signal.SIGKILL)
            await program.communicate()


@asynccontextmanager
async def _reading(pipe: Connection) -> AsyncIterator[asyncio.StreamReader]:
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader),
        os.fdopen(os.dup(pipe.fileno()), "rb", buffering=0),
    )
    pipe.close()
    try:
        yield reader
    finally:
        transport.close()


def _become(
    folder: Path,
    words: tuple[str, ...],
    environment: dict[str, str],
    out: Connection,
    err: Connection,
) -> None:
    """What a shell does before it runs a program, and the program."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    out.close()
    err.close()
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - buffered as a pipe is, whatever the fork server's was
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
    sys.argv = ["app", *words]
    main()
