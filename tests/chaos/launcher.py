"""The process of a replica: ``python -m app serve`` with a wall clock set by the bench.

The offset arrives through a pipe. The monotonic clock is the machine's. If the bench ends, the pipe
closes and the process ends.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import time_machine

from app.__main__ import main


def run_replica(folder: Path, environment: Mapping[str, str], log: Path, clock: Connection) -> None:
    """Run the service in this process.

    The first message of ``clock`` is the initial offset in seconds.
    """
    os.setsid()  # Ctrl-C in the terminal is for the bench, which ends its replicas itself
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
    sys.argv = ["app", "serve"]
    _follow(clock)
    main()


def _follow(clock: Connection) -> None:
    """Shift the wall clock by the first offset, then by each new one."""
    offset = float(clock.recv())
    traveller = time_machine.travel(timedelta(seconds=offset), tick=True).start()
    time.time()  # the shifted clock starts to run at the first call

    def follow(current: float) -> None:
        try:
            while True:
                wanted = float(clock.recv())
                traveller.shift(wanted - current)
                current = wanted
        except (EOFError, OSError):
            os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=follow, args=(offset,), daemon=True).start()
