"""Runs schemathesis with every check against the service over the sandbox, with a key and without;
ends with 1 if it finds anything.
"""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.sandbox.server import Sandbox
from tests import programs
from tests.checks import CHECKOUT
from tests.cli.processes import free_port, make_environment
from tests.fuzz.addresses import many_addresses

KEY = "key-of-the-fuzz-runs"
_CONFIG = CHECKOUT / "tests" / "fuzz" / "schemathesis.toml"


@asynccontextmanager
async def served() -> AsyncIterator[int]:
    """The port of a service over the sandbox, with a Postgres of its own."""
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


async def fuzz(address: str, *words: str) -> int:
    """The exit code of schemathesis."""
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
    process = await asyncio.create_subprocess_exec(sys.executable, *command, *words)
    return await process.wait()


async def main(words: list[str]) -> int:
    """Fuzz as a caller with the key, then as one without it, who is throttled. ``words`` go to
    schemathesis.
    """
    async with served() as port, many_addresses(port) as address:
        with_key = await fuzz(
            address, "--header", f"X-API-Key: {KEY}", "--header", "Connection: close", *words
        )
    async with served() as port:
        return with_key | await fuzz(f"http://127.0.0.1:{port}", *words)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
