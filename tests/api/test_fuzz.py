"""A short, repeatable run of schemathesis in the suite; `make fuzz` is the long one."""

import asyncio
import sys
from contextlib import closing
from pathlib import Path

import pytest

from app.cli.listening import listen
from app.cli.rest_server import serve_rest
from tests.fuzz.addresses import open_forwarder
from tests.support.checkout import CHECKOUT
from tests.support.stage import BAD_TALK, GOOD_TALK, KEY, Stage

CONFIG = CHECKOUT / "tests" / "fuzz" / "schemathesis.toml"
SHORT = (
    "--phases=examples,fuzzing,stateful",
    "--max-examples=2",
    "--no-shrink",
    "--generation-deterministic",
)


async def fuzz(folder: Path, address: str, *options: str) -> tuple[int | None, str]:
    """Run schemathesis in ``folder``, where it stores its findings; return exit code and output."""
    command = (
        "-m",
        "schemathesis.cli",
        "--config-file",
        str(CONFIG),
        "run",
        f"{address}/openapi.json",
        "--url",
        address,
        *SHORT,
        *options,
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return process.returncode, out.decode()


async def _until_cancelled() -> None:
    await asyncio.Event().wait()


@pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere 127.0.0.1 is the only address of the loopback device"
)
async def test_generated_requests_find_nothing(stage: Stage, tmp_path: Path) -> None:
    stage.add_talk(*GOOD_TALK)
    stage.add_talk(*BAD_TALK)
    await stage.sync()
    await stage.analyze()
    worker = asyncio.create_task(_until_cancelled())
    with closing(listen("127.0.0.1", 0, "")) as listener:
        port = listener.getsockname()[1]
        async with serve_rest(stage.service, listener, worker), open_forwarder(port) as address:
            code, out = await fuzz(
                tmp_path, address, "--header", f"X-API-Key: {KEY}", "--header", "Connection: close"
            )
            assert code == 0, out
            code, out = await fuzz(tmp_path, f"http://127.0.0.1:{port}", "--phases=examples")
            assert code == 0, out
