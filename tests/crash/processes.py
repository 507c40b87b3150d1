"""The service as a process of its own, to be killed."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from app.sandbox.server import Sandbox
from tests.programs import Program, started

KEY = "crash-test-key"


class Served:
    """A running ``serve``; its log lines are gathered."""

    def __init__(self, program: Program, url: str) -> None:
        self.program = program
        self.url = url
        self.log = bytearray()

    def kill(self) -> None:
        """The plug is pulled."""
        self.program.send_signal(signal.SIGKILL)


@asynccontextmanager
async def serving(database_url: str, sandbox: Sandbox, folder: Path, **settings: str) -> AsyncIterator[Served]:
    """Starts the service over the sandbox and waits until it answers; at the end it is stopped, unless it was killed."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {
        "DATABASE_URL": database_url,
        "DATA_DIR": str(folder),
        "API_KEYS": KEY,
        "PORT": str(port),
        "MAIL_FROM": "reports@example.ru",
        "REPORT_RECIPIENTS": "boss@example.ru,second@example.ru",
        "SCHEDULER_ENABLED": "false",
        "AVITO_REQUESTS_PER_MINUTE": "0",
        "DEEPSEEK_MAX_CONCURRENCY": "4",
        **sandbox.environment(),
        **settings,
    }
    async with started(folder, "serve", environment=environment) as program:
        served = Served(program, f"http://127.0.0.1:{port}")
        reader = asyncio.create_task(_gather(program.stderr, served.log))
        try:
            await _until_it_answers(served)
            yield served
        finally:
            program.send_signal(signal.SIGTERM)
            await reader


async def _gather(stderr: asyncio.StreamReader, log: bytearray) -> None:
    while chunk := await stderr.read(65536):
        log += chunk


async def _until_it_answers(served: Served) -> None:
    async with asyncio.timeout(30), httpx.AsyncClient(base_url=served.url) as rest:
        while True:
            assert served.program.returncode is None, served.log.decode()
            try:
                if (await rest.get("/health/ready")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)
