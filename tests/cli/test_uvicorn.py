"""The application under a plain ``uvicorn --factory app.main:create_app``."""

import asyncio
import signal
import sys
from pathlib import Path

import httpx

from app.sandbox.server import Sandbox
from tests.support.checkout import CHECKOUT
from tests.support.command_line import free_port, make_environment
from tests.support.patience import PATIENCE
from tests.support.stage import until


async def test_uvicorn_serves_the_application_and_executes_runs(
    tmp_path: Path, database_url: str
) -> None:
    port = free_port()
    async with (
        Sandbox() as sandbox,
        httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers={"X-API-Key": "key-of-the-cli-tests"},
            timeout=PATIENCE,
        ) as rest,
    ):
        environment = make_environment(sandbox, DATABASE_URL=database_url, SCHEDULER_ENABLED="true")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "uvicorn", "--factory", "app.main:create_app", "--port", port),
            cwd=tmp_path,
            env={**environment, "PYTHONPATH": str(CHECKOUT)},
        )
        try:

            async def is_ready() -> bool:
                try:
                    return (await rest.get("/health/ready")).status_code == 200
                except httpx.TransportError:
                    return False

            await until(is_ready)
            synced = await rest.post("/api/v1/avito/sync", timeout=PATIENCE)
            process.send_signal(signal.SIGTERM)
            code = await asyncio.wait_for(process.wait(), PATIENCE)
        finally:
            if process.returncode is None:
                process.kill()
    assert (synced.status_code, synced.json()["status"]) == (200, "success")
    assert code in (0, -signal.SIGTERM)  # uvicorn raises the signal again after its shutdown
