"""The service as a process of its own, to be killed."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from app.sandbox.server import Sandbox
from tests.programs import Program, start_program

KEY = "key-of-the-crash-tests"


class Served:
    """A running ``serve``; its log lines are gathered."""

    def __init__(self, program: Program, url: str) -> None:
        self.program = program
        self.url = url
        self.log = bytearray()

    def kill(self) -> None:
        """The plug is pulled."""
        self.program.send_signal(signal.SIGKILL)


def service_environment(database_url: str, sandbox: Sandbox, folder: Path) -> dict[str, str]:
    """The settings of a service over the sandbox, without a port."""
    return {
        "DATABASE_URL": database_url,
        "DATA_DIR": str(folder),
        "API_KEYS": KEY,
        "MAIL_FROM": "reports@example.ru",
        "REPORT_RECIPIENTS": "boss@example.ru,second@example.ru",
        "SCHEDULER_ENABLED": "false",
        "AVITO_REQUESTS_PER_MINUTE": "0",
        "DEEPSEEK_MAX_CONCURRENCY": "4",
        **sandbox.environment(),
    }


@asynccontextmanager
async def serving(
    database_url: str, sandbox: Sandbox, folder: Path, **settings: str
) -> AsyncIterator[Served]:
    """Starts the service over the sandbox and waits until it answers; at the end it is stopped,
    unless it was killed.
    """
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {
        **service_environment(database_url, sandbox, folder),
        "PORT": str(port),
        **settings,
    }
    async with start_program(folder, "serve", environment=environment) as program:
        served = Served(program, f"http://127.0.0.1:{port}")
        reader = asyncio.create_task(_gather(program.stderr, served.log))
        try:
            await until_it_answers(served.url, lambda: program.returncode)
            yield served
        finally:
            program.send_signal(signal.SIGTERM)
            await reader


async def _gather(stderr: asyncio.StreamReader, log: bytearray) -> None:
    while chunk := await stderr.read(65536):
        log += chunk


async def until_it_answers(url: str, exit_code: Callable[[], int | None]) -> None:
    """Wait until a service is ready; fail if its process ends."""
    async with asyncio.timeout(30), httpx.AsyncClient(base_url=url) as rest:
        while True:
            assert exit_code() is None
            try:
                if (await rest.get("/health/ready")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)
