"""The service as a process of its own, to be killed."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from app.sandbox.server import Sandbox

KEY = "crash-test-key"


class Served:
    """A running ``serve``; its log lines are gathered."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self.process = process
        self.url = url
        self.log = bytearray()

    def kill(self) -> None:
        """The plug is pulled."""
        self.process.send_signal(signal.SIGKILL)


@asynccontextmanager
async def serving(database_url: str, sandbox: Sandbox, folder: Path, **settings: str) -> AsyncIterator[Served]:
    """Starts the service over the sandbox and waits until it answers; at the end it is stopped, unless it was killed."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
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
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app", "serve", env=environment, stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL
    )
    served = Served(process, f"http://127.0.0.1:{port}")
    reader = asyncio.create_task(_gather(process, served.log))
    try:
        await _until_it_answers(served)
        yield served
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        await reader


async def _gather(process: asyncio.subprocess.Process, log: bytearray) -> None:
    assert process.stderr is not None
    while chunk := await process.stderr.read(65536):
        log += chunk


async def _until_it_answers(served: Served) -> None:
    async with asyncio.timeout(30), httpx.AsyncClient(base_url=served.url) as rest:
        while True:
            assert served.process.returncode is None, served.log.decode()
            try:
                if (await rest.get("/health/ready")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)
