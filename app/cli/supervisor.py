"""``serve`` with several processes on one port (WEB_CONCURRENCY).

The supervisor opens the port, starts the processes, restarts those that die, and stops them all. It
opens no service itself. Each process inherits the listening socket and one end of a socket pair: it
reports there that it serves, and ends if the supervisor is gone.
"""

import asyncio
import os
import signal
import socket
import sys
import tempfile
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress

import structlog

from app.cli.console import print_line
from app.cli.listening import check_data_dir, describe_start, listen
from app.config import Settings
from app.log import configure_logging

log = structlog.get_logger(__name__)

METRICS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""The folder in which the processes sum up their counters, see prometheus_client."""
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 30.0
"""Pauses before a restart. They double while a process does not live for a minute."""
_STEADY_SECONDS = 60.0


class _StartFailedError(Exception):
    """A process has ended before it served, with this exit code. It has printed why."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


async def serve_processes(settings: Settings) -> int:
    """Run ``settings.web_concurrency`` processes until this one is cancelled.

    Return the exit code of a process that could not start, or that did not stop in time.

    Raises:
        AppError: the port cannot be opened; one line that names the setting.
    """
    configure_logging(settings.log_level, settings.log_format)
    with (
        closing(listen(settings.host, settings.port, "PORT={port} python -m app serve")) as port,
        tempfile.TemporaryDirectory(prefix="avito-quality-metrics-") as metrics,
    ):
        check_data_dir(settings)
        supervisor = Supervisor(port, {**os.environ, METRICS_VARIABLE: metrics})
        return await supervisor.run(
            settings.web_concurrency, lambda: print_line(describe_start(settings))
        )


class Supervisor:
    """Starts processes that share a listening socket, and restarts them."""

    def __init__(self, listener: socket.socket, environment: dict[str, str]) -> None:
        self._listener = listener
        self._environment = environment
        self._processes: dict[int, Process] = {}

    async def run(self, count: int, show_ready: Callable[[], None]) -> int:
        """Keep ``count`` processes running until this is cancelled or one cannot start.

        The first one serves before the others start: a wrong setting is reported once.
        """
        code = 0
        try:
            async with asyncio.TaskGroup() as group:
                ready = asyncio.Event()
                group.create_task(self._keep_running(1, ready))
                await ready.wait()
                show_ready()
                for number in range(2, count + 1):
                    group.create_task(self._keep_running(number, asyncio.Event()))
        except* _StartFailedError as errors:
            code = max(error.code for error in errors.exceptions)  # type: ignore[union-attr]
        finally:
            await self._stop_all()
        return code

    async def _keep_running(self, number: int, ready: asyncio.Event) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while True:
            started_at = time.monotonic()
            code = await self._run_once(number, ready)
            if not ready.is_set() and code > 0:
                raise _StartFailedError(code)
            if time.monotonic() - started_at > _STEADY_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            log.warning("serve.process_ended", process=number, code=code, restart_seconds=pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _run_once(self, number: int, ready: asyncio.Event) -> int:
        """Start a process, wait for its end and return its exit code."""
        async with self._start(number) as (process, link):
            log.info("serve.process_started", process=number, pid=process.pid)
            if await asyncio.get_running_loop().sock_recv(link, 1):
                ready.set()
            code = await process.wait()
            del self._processes[number]
            return code

    @asynccontextmanager
    async def _start(self, number: int) -> AsyncIterator[tuple[Process, socket.socket]]:
        link, other_end = socket.socketpair()
        link.setblocking(False)
        with link:
            with other_end:
                descriptors = (self._listener.fileno(), other_end.fileno())
                process = self._processes[number] = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-P", "-m", "app.cli.supervised"),
                    *map(str, (number, *descriptors)),
                    env=self._environment
                    | {"PYTHONPATH": os.pathsep.join(path or os.curdir for path in sys.path)},
                    pass_fds=descriptors,
                )
            yield process, link

    async def _stop_all(self) -> None:
        """Stop the processes in order. Each of them limits the time of its own stop."""
        for process in self._processes.values():
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        await asyncio.gather(*(process.wait() for process in self._processes.values()))
