"""The program as its user has it, and what it says and ends with."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from app.sandbox.server import Sandbox
from tests import programs
from tests.programs import Program
from tests.stage import until

SECONDS = 90
"""Nothing takes so long; a process that does has hung."""


@dataclass(frozen=True)
class Ended:
    """What a process has said and its exit code."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


@asynccontextmanager
async def started(folder: Path, *words: str, **settings: str) -> AsyncIterator[Program]:
    """``python -m app`` with these words in a folder and with these settings; killed at the end if
    it still runs.
    """
    async with (
        programs.started(folder, *words, environment=settings) as program,
        asyncio.timeout(SECONDS),
    ):
        yield program


async def run_app(folder: Path, *words: str, **settings: str) -> Ended:
    """The program from its start to its own end."""
    async with started(folder, *words, **settings) as program:
        return await end_of(program)


async def run_from_nothing(folder: Path, *words: str) -> Ended:
    """The same in a new interpreter, as a shell starts it."""
    checkout = {"PYTHONPATH": str(Path(__file__).parents[2])}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "app",
        *words,
        cwd=folder,
        env=checkout,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return Ended(await process.wait(), out.decode(), err.decode())


async def stop(program: Program, how: signal.Signals) -> Ended:
    """Sends a signal and waits for the end; what was said since the last reading."""
    program.send_signal(how)
    return await end_of(program)


async def end_of(program: Program) -> Ended:
    """Waits for the end."""
    out, err = await program.communicate()
    return Ended(await program.wait(), out.decode(), err.decode())


async def asked(sandbox: Sandbox, times: int, program: Program) -> None:
    """Waits until the sandbox's Avito has been asked so often, or the process that is to ask it has
    ended.
    """

    async def enough() -> bool:
        return len(sandbox.avito.requests) >= times or program.returncode is not None

    await until(enough, SECONDS)


def free_port() -> str:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])


def settings_for(sandbox: Sandbox, **settings: str) -> dict[str, str]:
    """The environment that points the program at a sandbox; ``settings`` win."""
    return {
        **sandbox.environment(),
        "API_KEYS": "key-of-the-cli-tests",
        "MAIL_FROM": "reports@example.ru",
        "REPORT_RECIPIENTS": "boss@example.ru",
        "AVITO_REQUESTS_PER_MINUTE": "0",
        "SCHEDULER_ENABLED": "false",
        **settings,
    }
