"""The program as a user runs it: in its own process, without the tests' environment.

It is forked from a process that has imported the program (``multiprocessing``'s fork server). An
import takes most of a second of processor time, and the suite starts the program fifty times.
``tests/cli/test_usage.py`` also runs ``python -m app`` in a new interpreter.
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
    """A running program: its output, signals and exit code."""

    def __init__(
        self, process: ForkServerProcess, stdout: asyncio.StreamReader, stderr: asyncio.StreamReader
    ) -> None:
        self._process = process
        self.stdout = stdout
        self.stderr = stderr

    @property
    def returncode(self) -> int | None:
        """The exit code; minus the signal's number if a signal ended it; None while it runs."""
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        assert self._process.pid
        if self.returncode is None:
            with suppress(ProcessLookupError):  # it has ended in the meantime
                os.kill(self._process.pid, number)

    async def wait(self) -> int:
        """Wait for the end and return the exit code."""
        await asyncio.to_thread(self._process.join)
        assert self.returncode is not None
        return self.returncode

    async def communicate(self) -> tuple[bytes, bytes]:
        """Wait for the end and return the remaining stdout and stderr."""
        out, err, _ = await asyncio.gather(self.stdout.read(), self.stderr.read(), self.wait())
        return out, err


@asynccontextmanager
async def start_program(
    folder: Path, *arguments: str, environment: Mapping[str, str]
) -> AsyncIterator[Program]:
    """Start ``python -m app`` in a folder; if it still runs at the end, it is killed."""
    (out, out_end), (err, err_end) = _FORKS.Pipe(duplex=False), _FORKS.Pipe(duplex=False)
    process = _FORKS.Process(
        target=run_main,
        args=(folder, arguments, {"LANG": "C.UTF-8", **environment}, out_end, err_end),
    )
    process.start()
    out_end.close()
    err_end.close()
    async with open_reader(out) as stdout, open_reader(err) as stderr:
        program = Program(process, stdout, stderr)
        try:
            yield program
        finally:
            program.send_signal(signal.SIGKILL)
            await program.communicate()


@asynccontextmanager
async def open_reader(pipe: Connection) -> AsyncIterator[asyncio.StreamReader]:
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


def run_main(
    folder: Path,
    arguments: tuple[str, ...],
    environment: dict[str, str],
    out: Connection,
    err: Connection,
) -> None:
    """Prepare the forked process like a shell and run the program."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    out.close()
    err.close()
    # Buffered like a pipe, whatever the buffering of the fork server is.
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
    sys.argv = ["app", *arguments]
    main()
