"""A program in a folder that is a disk of a few kilobytes."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.support.checkout import CHECKOUT
from tests.support.command_line import ProcessResult

_MOUNT = 'mount -t tmpfs -o size="$1" tmpfs "$2" || exit 77; cd "$2"; shift 2; '


async def run_on_small_disk(
    folder: Path, size: str, *arguments: str, before: str = ":", after: str = ":", **settings: str
) -> ProcessResult:
    """Run ``python -m app`` in the folder on a disk of its own, which no other process sees.

    ``before`` and ``after`` are shell commands; the output of ``after`` follows the program's.
    Skip the test where nothing can be mounted.
    """
    # In a namespace of its own, root could not read the folders of other accounts.
    namespace = () if os.geteuid() == 0 else ("--map-root-user",)
    script = f'{_MOUNT}{before}; "$@"; code=$?; {after}; exit $code'
    process = await asyncio.create_subprocess_exec(
        *("unshare", *namespace, "--mount", "sh", "-c", script, "sh", size, str(folder)),
        *(sys.executable, "-m", "app", *arguments),
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONPATH": str(CHECKOUT)} | settings,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    if process.returncode == 77 or err.startswith(b"unshare"):
        pytest.skip("nothing can be mounted here")
    assert process.returncode is not None
    return ProcessResult(process.returncode, out.decode(), err.decode())
