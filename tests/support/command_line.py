"""The program as a user runs it, with its output and exit code."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from app.domain.working_hours import ROUND_THE_CLOCK_TEXT
from app.sandbox.server import Sandbox
from tests.support import programs
from tests.support.checkout import CHECKOUT
from tests.support.patience import PATIENCE
from tests.support.programs import Program
from tests.support.stage import until


@dataclass(frozen=True)
class ProcessResult:
    """Output and exit code of a process."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


@asynccontextmanager
async def start_app(folder: Path, *arguments: str, **settings: str) -> AsyncIterator[Program]:
    """Start ``python -m app`` in a folder; if it still runs at the end, it is killed."""
    async with (
        programs.start_program(folder, *arguments, environment=settings) as program,
        asyncio.timeout(PATIENCE),
    ):
        yield program


async def run_app(folder: Path, *arguments: str, **settings: str) -> ProcessResult:
    """Run the program to its end."""
    async with start_app(folder, *arguments, **settings) as program:
        return await wait_end(program)


async def run_in_new_interpreter(folder: Path, *arguments: str) -> ProcessResult:
    """Run the program to its end in a new interpreter, as a shell starts it."""
    checkout = {"PYTHONPATH": str(CHECKOUT)}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "app",
        *arguments,
        cwd=folder,
        env=checkout,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return ProcessResult(await process.wait(), out.decode(), err.decode())


async def stop(program: Program, how: signal.Signals) -> ProcessResult:
    """Send a signal, wait for the end and return the output since the last read."""
    program.send_signal(how)
    return await wait_end(program)


async def wait_end(program: Program) -> ProcessResult:
    out, err = await program.communicate()
    return ProcessResult(await program.wait(), out.decode(), err.decode())


async def wait_for_requests(sandbox: Sandbox, times: int, program: Program) -> None:
    """Wait until the sandbox's Avito has this many requests or the process has ended."""

    async def is_reached() -> bool:
        return len(sandbox.avito.requests) >= times or program.returncode is not None

    await until(is_reached)


def free_port() -> str:
    """Return a free port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])


def make_environment(sandbox: Sandbox, **settings: str) -> dict[str, str]:
    """Return environment variables for a sandbox; ``settings`` take precedence."""
    return {
        **sandbox.environment(),
        "API_KEYS": "key-of-the-cli-tests",
        "MAIL_FROM": "reports@example.ru",
        "REPORT_RECIPIENTS": "boss@example.ru",
        "AVITO_REQUESTS_PER_MINUTE": "0",
        "WORKING_HOURS": ROUND_THE_CLOCK_TEXT,  # the tests run at any hour
        "SCHEDULER_ENABLED": "false",
        **settings,
    }
