"""Programs of Debian packages: where they are, and how to run them without root's rights."""

import asyncio
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

_FOLDERS = "/usr/sbin:/usr/local/sbin:/usr/local/bin:/usr/bin"
_DEBIAN_POSTGRES = Path("/usr/lib/postgresql")
_SECONDS = 30


def find_program(name: str) -> str | None:
    """Return the path of a program, which Debian may install outside of a user's PATH."""
    return shutil.which(name) or shutil.which(name, path=_FOLDERS)


def find_postgres_folders(debian: Path = _DEBIAN_POSTGRES) -> list[Path]:
    """Return the folders with Postgres's programs, oldest version first.

    They are Debian's and those of ``POSTGRES_BIN``, a list with colons like PATH. Its items are
    absolute, and may be patterns.
    """
    patterns = [name[1:] for name in os.environ.get("POSTGRES_BIN", "").split(":") if name]
    named = [folder for pattern in patterns for folder in Path("/").glob(pattern)]
    folders = [*debian.glob("*/bin"), *named]
    return sorted(
        (folder for folder in folders if (folder / "initdb").exists()), key=read_major_version
    )


def is_debian(folder: Path) -> bool:
    """Return whether a Debian package installed the Postgres in a folder."""
    return folder.is_relative_to(_DEBIAN_POSTGRES)


def read_major_version(folder: Path) -> int:
    """Return the major version of the Postgres in a folder."""
    done = subprocess.run(  # noqa: S603 - a program that was found
        [folder / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    found = re.search(r"\) (\d+)", done.stdout)
    assert found, done.stdout
    return int(found[1])


def hand_over(folder: Path) -> list[str]:
    """Give a folder to an account without rights; return the command prefix that runs as it.

    Postgres and pgbouncer refuse to run as root.
    """
    if os.geteuid() != 0:
        return []
    nobody = pwd.getpwnam("nobody")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
    return ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]


async def run_to_end(
    *command: str | Path, cwd: str | Path = "/", env: Mapping[str, str] | None = None
) -> None:
    """Run a command that must succeed."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, (command, output.decode())


@asynccontextmanager
async def run_server(
    *command: str | Path, log: Path, is_ready: Callable[[], object], stop_signal: int
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a server, and stop it at the end. ``is_ready`` raises OSError until it is ready."""
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, cwd="/", stdout=output, stderr=output, stdin=asyncio.subprocess.DEVNULL
        )
    try:
        async with asyncio.timeout(_SECONDS):
            while True:
                assert process.returncode is None, f"{command}: see {log}"
                with suppress(OSError):
                    is_ready()
                    break
                await asyncio.sleep(0.05)
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(stop_signal)
        await process.wait()
