"""The program as its user has it: a process of its own, with nothing of our environment, and what it says and ends with."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from app.sandbox.server import Sandbox
from tests.stage import until

CHECKOUT = Path(__file__).parents[2]
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
async def started(folder: Path, *words: str, **settings: str) -> AsyncIterator[Process]:
    """``python -m app`` with these words in a folder and with these settings; killed at the end if it still runs."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT), "LANG": "C.UTF-8", **settings}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app", *words, cwd=folder, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, stderr=PIPE
    )
    try:
        async with asyncio.timeout(SECONDS):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def run_app(folder: Path, *words: str, **settings: str) -> Ended:
    """The program from its start to its own end."""
    async with started(folder, *words, **settings) as process:
        return await end_of(process)


async def stop(process: Process, how: signal.Signals) -> Ended:
    """Sends a signal and waits for the end; what was said since the last reading."""
    process.send_signal(how)
    return await end_of(process)


async def end_of(process: Process) -> Ended:
    """Waits for the end."""
    out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


async def asked(sandbox: Sandbox, times: int, process: Process) -> None:
    """Waits until the sandbox's Avito has been asked so often, or the process that is to ask it has ended."""

    async def enough() -> bool:
        return len(sandbox.avito.requests) >= times or process.returncode is not None

    await until(enough, SECONDS)


def free_port() -> str:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])


def settings_for(sandbox: Sandbox, **settings: str) -> dict[str, str]:
    """The environment that points the program at a sandbox; ``settings`` win."""
    return {
        **sandbox.environment(),
        "API_KEYS": "cli-test-key",
        "MAIL_FROM": "reports@example.ru",
        "REPORT_RECIPIENTS": "boss@example.ru",
        "AVITO_REQUESTS_PER_MINUTE": "0",
        "SCHEDULER_ENABLED": "false",
        **settings,
    }
