"""The program of a worker process: execute calls one after the other, each within its limits.

Calls arrive on stdin and replies leave on stdout, each as a pickle after its length. The process
ends at the end of stdin. On Linux the kernel also kills it when its parent dies, so a killed
service leaves no processes behind.
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
"""The message that a process sends before its first call."""

_PR_SET_PDEATHSIG = 1
_NICENESS = 5
"""Lower priority than that of REST and the database."""
_OOM_SCORE = "800"
"""Of 1,000. The kernel kills this process before the service and the database."""
_SPARE_BYTES = 64 * 2**20
"""A process that has grown by more ends after its reply, which releases its memory."""


class Ending(StrEnum):
    """How a call ended."""

    DONE = "done"
    OUT_OF_MEMORY = "out_of_memory"
    CRASHED = "crashed"


@dataclass(frozen=True)
class Call:
    """A module-level function, its arguments, and its limits of processor time and memory."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    cpu_seconds: float
    memory_bytes: int


@dataclass(frozen=True)
class Reply:
    """The end of a call, with its result and processor time.

    ``result`` of a crash: the error's name and the lines of code. ``reusable``: the process accepts
    another call.
    """

    ending: Ending
    result: Any
    cpu_seconds: float
    reusable: bool


def main(parent: int) -> None:
    """Execute the calls of the process ``parent`` until the end of stdin."""
    _prepare(parent)
    calls, replies = sys.stdin.buffer, sys.stdout.buffer
    warm_up()
    first_size = _get_memory_bytes()
    _send(replies, READY)
    while call := _receive(calls):
        reply = _execute(pickle.loads(call), first_size)  # noqa: S301 - from our own parent
        _send(replies, pickle.dumps(reply))
        if not reply.reusable:
            return


def _prepare(parent: int) -> None:
    # Ctrl-C also reaches the parent, which ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(_NICENESS)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would contain a chat
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE, encoding="ascii")
    if os.getppid() != parent:
        sys.exit()  # the parent died before prctl was called


def _execute(call: Call, first_size: int) -> Reply:
    started = time.process_time()
    # If the limit is exceeded, the kernel kills the process with SIGXCPU.
    _set_limit(resource.RLIMIT_CPU, math.ceil(started + call.cpu_seconds))
    if size := _get_memory_bytes():
        _set_limit(resource.RLIMIT_AS, size + call.memory_bytes)
    try:
        ending, result = Ending.DONE, call.function(*call.arguments)
    except MemoryError:
        ending, result = Ending.OUT_OF_MEMORY, None
    except Exception as error:  # without the error's message, which may contain chat text
        ending, result = Ending.CRASHED, (type(error).__name__, _list_frames(error))
    for kind in (resource.RLIMIT_CPU, resource.RLIMIT_AS):  # the next call may be of another chat
        _set_limit(kind, None)
    grown = _get_memory_bytes() - first_size
    return Reply(
        ending,
        result,
        time.process_time() - started,
        ending is not Ending.OUT_OF_MEMORY and grown < _SPARE_BYTES,
    )


def _list_frames(error: Exception) -> str:
    return "; ".join(
        f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-5:]
    )


def _set_limit(kind: int, soft: int | None) -> None:
    """Set a soft limit; None: remove it.

    If the system does not support the limit (macOS: memory), the process runs without it.
    """
    _, hard = resource.getrlimit(kind)
    beyond = soft is None or soft > hard != resource.RLIM_INFINITY
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (hard if beyond or soft is None else soft, hard))


def _get_memory_bytes() -> int:
    """Return the size of the address space, to which the limit applies; 0 if it is unknown."""
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
    # Loaded here, because the first call would otherwise spend its processor time on it.
    from app.services.analysis import chat_work  # noqa: F401

    # Pickles refer to the classes of the module, not to those of __main__.
    from app.services.analysis.worker_process import main as main_of_module

    main_of_module(int(sys.argv[1]))
