"""The program of a worker process: carries out one call after the other within the limits that come
with it.

Calls come over stdin and replies leave over stdout, each a pickle behind its length. The end of
stdin is the end of the process; on Linux the kernel also kills it when its parent dies, so a killed
service leaves nothing behind.
"""

import contextlib
import ctypes
import math
import os
import pickle
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from struct import Struct
from typing import Any, BinaryIO

from app.services.analysis.chat_work import warm_up

LENGTH = Struct(">I")
READY = b"ready"
"""What a process sends before its first call."""

_PR_SET_PDEATHSIG = 1
_NICENESS = 5  # REST and the database come first
_OOM_SCORE = (
    "800"  # of 1,000: the kernel is to choose this process before the service and its database
)
_SPARE_BYTES = 64 * 2**20
"""A process that has grown by more ends after its reply: its memory is given back."""


class Ending(StrEnum):
    """How a call ended."""

    DONE = "done"
    OUT_OF_MEMORY = "out_of_memory"
    CRASHED = "crashed"


@dataclass(frozen=True)
class Call:
    """A function of a module, its arguments, and what it may take: seconds of processor time and
    bytes of further memory.
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    cpu_seconds: float
    memory_bytes: int


@dataclass(frozen=True)
class Reply:
    """How a call ended, its result (of a crash: the error's name and the lines of code), the
    processor time that it took, and whether the process takes another.
    """

    ending: Ending
    result: Any
    cpu_seconds: float
    goes_on: bool


def main(parent: int) -> None:
    """Serves the process ``parent`` until the end of stdin."""
    _prepare(parent)
    calls, replies = sys.stdin.buffer, sys.stdout.buffer
    warm_up()
    first_size = _memory_bytes()
    _send(replies, READY)
    while call := _receive(calls):
        reply = _carry_out(pickle.loads(call), first_size)  # noqa: S301 - from our own parent
        _send(replies, pickle.dumps(reply))
        if not reply.goes_on:
            return


def _prepare(parent: int) -> None:
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C is for the parent, which ends this process in its own time
    os.nice(_NICENESS)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold a chat
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE, encoding="ascii")
    if os.getppid() != parent:
        sys.exit()  # it died before the kernel was asked to tell


def _carry_out(call: Call, first_size: int) -> Reply:
    started = time.process_time()
    _limit(
        resource.RLIMIT_CPU, math.ceil(started + call.cpu_seconds)
    )  # past it the kernel ends the process by SIGXCPU
    if size := _memory_bytes():
        _limit(resource.RLIMIT_AS, size + call.memory_bytes)
    try:
        ending, result = Ending.DONE, call.function(*call.arguments)
    except MemoryError:
        ending, result = Ending.OUT_OF_MEMORY, None
    except Exception as error:  # nothing of the error's own words: they may be the chat's
        ending, result = Ending.CRASHED, (type(error).__name__, _places(error))
    for kind in (resource.RLIMIT_CPU, resource.RLIMIT_AS):  # the next call is another chat's
        _limit(kind, None)
    grown = _memory_bytes() - first_size
    return Reply(
        ending,
        result,
        time.process_time() - started,
        ending is not Ending.OUT_OF_MEMORY and grown < _SPARE_BYTES,
    )


def _places(error: Exception) -> str:
    return "; ".join(
        f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-5:]
    )


def _limit(kind: int, soft: int | None) -> None:
    """Sets a soft limit, or lifts it; where the system knows none of the kind (macOS: memory), the
    process runs without it.
    """
    _, hard = resource.getrlimit(kind)
    beyond = soft is None or soft > hard != resource.RLIM_INFINITY
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (hard if beyond or soft is None else soft, hard))


def _memory_bytes() -> int:
    """The size of the address space, which the limit counts; 0 where the system does not tell."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
    except OSError:
        return 0
    return int(pages) * resource.getpagesize()


def _receive(stream: BinaryIO) -> bytes:
    head = stream.read(LENGTH.size)
    return stream.read(*LENGTH.unpack(head)) if len(head) == LENGTH.size else b""


def _send(stream: BinaryIO, content: bytes) -> None:
    stream.write(LENGTH.pack(len(content)) + content)
    stream.flush()


if __name__ == "__main__":
    from app.services.analysis import chat_work  # noqa: F401 - loaded before the first call, whose time it would take
    from app.services.analysis.worker_process import (
        main as main_of_module,
    )  # pickles name the classes of the module, not of __main__

    main_of_module(int(sys.argv[1]))
