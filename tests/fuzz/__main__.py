"""Run schemathesis with every check against the service and the sandbox.

It runs with a key and without. The exit code is 1 if it finds a fault.
"""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.sandbox.server import Sandbox
from tests.fuzz.addresses import open_forwarder
from tests.support import programs
from tests.support.checkout import CHECKOUT
from tests.support.command_line import free_port, make_environment

KEY = "key-of-the-fuzz-runs"
_CONFIG = CHECKOUT / "tests" / "fuzz" / "schemathesis.toml"


@asynccontextmanager
async def run_service() -> AsyncIterator[int]:
    """Start a service with the sandbox and its own Postgres; yield its port."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        async with Sandbox() as sandbox:
            settings = make_environment(sandbox, PORT=port, API_KEYS=KEY, LOG_LEVEL="ERROR")
            async with programs.start_program(
                Path(folder), "serve", environment=settings
            ) as program:
                assert program.stdout
                assert await program.stdout.readline(), "the service has ended"
                yield int(port)


async def fuzz(address: str, *arguments: str) -> int:
    """Run schemathesis and return its exit code."""
    command = (
        "-m",
        "schemathesis.cli",
        "--config-file",
        str(_CONFIG),
        "run",
        f"{address}/openapi.json",
        "--url",
        address,
    )
    process = await asyncio.create_subprocess_exec(sys.executable, *command, *arguments)
    return await process.wait()


async def main(arguments: list[str]) -> int:
    """Fuzz with the key, then without it, which is throttled.

    ``arguments`` are passed to schemathesis.
    """
    async with run_service() as port, open_forwarder(port) as address:
        with_key = await fuzz(
            address, "--header", f"X-API-Key: {KEY}", "--header", "Connection: close", *arguments
        )
    async with run_service() as port:
        return with_key | await fuzz(f"http://127.0.0.1:{port}", *arguments)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
