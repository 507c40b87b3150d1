"""Calls for worker processes.

Each has one effect that hostile text may cause.
"""

import os
import signal
import time
from pathlib import Path


def add(first: int, second: int) -> int:
    return first + second


def environment() -> dict[str, str]:
    return dict(os.environ)


def spin(seconds: float) -> None:
    """Use this much processor time."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def fill(megabytes: int) -> int:
    return len(bytearray(megabytes * 2**20))


def recurse(depth: int) -> int:
    return recurse(depth + 1)


def die() -> None:
    """End as the system's OOM killer ends a process."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(folder: str) -> int:
    """Die in the first call; in the second, return the number of calls beside it."""
    mark = Path(folder, "died")
    if not mark.exists():
        mark.touch()
        die()
    return len(list(Path(folder).glob("busy-*")))


def be_busy(folder: str, seconds: float) -> None:
    mark = Path(folder, f"busy-{os.getpid()}")
    mark.touch()
    time.sleep(seconds)
    mark.unlink()


def write_pid(path: str) -> None:
    """Write the process ID and stay busy."""
    Path(path).write_text(str(os.getpid()), encoding="ascii")
    time.sleep(600)
