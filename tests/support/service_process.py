"""The service as a separate process that can be killed."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text

from app.database.engine import Database
from app.sandbox.server import Sandbox
from tests.support.patience import PATIENCE
from tests.support.programs import Program, start_program

KEY = "key-of-the-crash-tests"


class RunningService:
    """A running ``serve`` with its collected log."""

    def __init__(self, program: Program, url: str) -> None:
        self.program = program
        self.url = url
        self.log = bytearray()

    def kill(self) -> None:
        """Kill the process with SIGKILL."""
        self.program.send_signal(signal.SIGKILL)


def service_environment(database_url: str, sandbox: Sandbox, folder: Path) -> dict[str, str]:
    """Return the settings of a service that uses the sandbox, without a port."""
    return {
        "DATABASE_URL": database_url,
        "DATA_DIR": str(folder),
        "API_KEYS": KEY,
        "MAIL_FROM": "reports@example.ru",
        "REPORT_RECIPIENTS": "boss@example.ru,second@example.ru",
        "SCHEDULER_ENABLED": "false",
        "AVITO_REQUESTS_PER_MINUTE": "0",
        "WORKING_HOURS": "Пн-Вс 00:00-24:00",  # the tests run at any hour
        "DEEPSEEK_MAX_CONCURRENCY": "4",
        **sandbox.environment(),
    }


@asynccontextmanager
async def run_service(
    database_url: str, sandbox: Sandbox, folder: Path, **settings: str
) -> AsyncIterator[RunningService]:
    """Start the service with the sandbox and wait until it is ready.

    At the end it is stopped, unless it was killed.
    """
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {
        **service_environment(database_url, sandbox, folder),
        "PORT": str(port),
        **settings,
    }
    async with start_program(folder, "serve", environment=environment) as program:
        service = RunningService(program, f"http://127.0.0.1:{port}")
        reader = asyncio.create_task(_gather(program.stderr, service.log))
        try:
            await wait_until_ready(service.url, lambda: program.returncode)
            yield service
        finally:
            program.send_signal(signal.SIGTERM)
            await reader


async def _gather(stderr: asyncio.StreamReader, log: bytearray) -> None:
    while chunk := await stderr.read(65536):
        log += chunk


async def wait_until_ready(url: str, exit_code: Callable[[], int | None]) -> None:
    """Wait until a service is ready; fail if its process ends."""
    async with asyncio.timeout(PATIENCE), httpx.AsyncClient(base_url=url, timeout=PATIENCE) as rest:
        while True:
            assert exit_code() is None
            try:
                if (await rest.get("/health/ready")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)


DAY = "2026-11-22"


async def fetch_rows(database: Database, sql: str) -> list[dict[str, Any]]:
    async with database.session() as session:
        return [dict(row) for row in (await session.execute(text(sql))).mappings()]


def open_rest_client(service: RunningService) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=service.url, headers={"X-API-Key": KEY}, timeout=PATIENCE)


async def expire_leases(database: Database) -> None:
    """Let the leases expire as after half a minute."""
    async with database.transaction() as session:
        await session.execute(
            text(
                "UPDATE runs SET lease_until = now() - interval '1 second' WHERE state = 'running'"
            )
        )
        await session.execute(text("UPDATE run_parts SET lease_until = now()"))
        await session.execute(
            text("UPDATE deliveries SET claimed_until = claimed_until - interval '30 seconds'")
        )
