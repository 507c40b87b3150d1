"""The service behind Debian's Caddy, configured by the example of docs/operations.md."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.real.reverse_proxy import (
    PREFIX,
    Row,
    read_example,
    replace_all,
    serve_behind,
    try_proxy,
    wait_until_listening,
)
from tests.support.command_line import free_port
from tests.support.tls_front import make_certificate

PROGRAM = "caddy"


def find_program() -> str | None:
    """Return the path of Caddy."""
    return shutil.which(PROGRAM)


@asynccontextmanager
async def start_caddy(folder: Path, certificate: Path, service: str) -> AsyncIterator[str]:
    """Start Caddy before the service at ``host:port``; yield the URL of the prefix."""
    port = free_port()
    config = replace_all(
        read_example("caddy"),
        {
            "{\n    auto_https disable_redirects": "{\n    admin off\n    auto_https off",
            "quality.example.ru {": f"https://127.0.0.1:{port} {{\n"
            f"    bind 127.0.0.1\n    tls {certificate} {certificate}",
            "127.0.0.1:8000": service,
        },
    )
    (folder / "Caddyfile").write_text(config)
    program = find_program()
    assert program
    with (folder / "caddy.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(program, "run", "--config", str(folder / "Caddyfile")),
            env={"HOME": str(folder)},
            stderr=log,
        )
    try:
        await wait_until_listening(process, int(port))
        yield f"https://127.0.0.1:{port}{PREFIX}/"
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def run_trial(database_url: str, folder: Path) -> list[Row]:
    """Run the trial with the prefix kept; return what worked.

    ``database_url``: an empty database.
    """
    certificate = make_certificate(folder)
    async with (
        serve_behind(database_url, folder) as (sandbox, service),
        start_caddy(folder, certificate, service) as url,
    ):
        found = await try_proxy(sandbox, url, certificate, cuts_long_calls=False)
    return [(f"Caddy: {what}", result) for what, result in found]
