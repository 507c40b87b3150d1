"""A replica: the service's process and its proxies under a supervisor.

The supervisor restarts the process as compose's ``unless-stopped`` does.
"""

import asyncio
import multiprocessing
import os
import random
import signal
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import httpx
import psutil  # type: ignore[import-untyped]

from tests.chaos.clocks import TrueClock
from tests.chaos.launcher import run_replica
from tests.chaos.proxies import Mode, Proxy
from tests.chaos.taps import Taps
from tests.support import programs  # has the fork server import the service once  # noqa: F401

KEY = "key-of-the-chaos-test"
STUCK_SECONDS = 60.0
"""A worker queries Postgres every few seconds; after this time without a query it is stuck."""

_FORKS = multiprocessing.get_context("forkserver")
_EXIT_PATIENCE_SECONDS = 100.0
_PROBE_TAIL_SECONDS = 0.3
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 10.0


@dataclass(frozen=True)
class Sample:
    """Resources of a process: resident memory, descriptors, connections to Postgres."""

    day: date
    rss_mb: float
    descriptors: int
    connections: int


@dataclass
class Stuck:
    """A period in which a live replica did not query an available Postgres.

    ``readiness``: its responses meanwhile.
    """

    replica: str
    since: float
    seconds: float = 0.0
    readiness: list[str] = field(default_factory=list)
    at_end: bool = False


@dataclass
class Ledger:
    """Events of a replica. Moments are monotonic."""

    kills: list[float] = field(default_factory=list)
    freezes: list[tuple[float, float]] = field(default_factory=list)
    exit_seconds: list[float] = field(default_factory=list)
    """From SIGTERM to the end of the process."""
    unexpected_exits: list[int] = field(default_factory=list)
    stuck: list[Stuck] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)


def _find_port() -> int:
    """Return a free port that no outgoing connection and no listener on port 0 can get.

    A replica has to find its port free after each restart.
    """
    while True:
        port = random.randint(20_000, 32_000)  # noqa: S311 - no secret
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class Replica:
    """One replica of a world."""

    def __init__(
        self, name: str, truth: TrueClock, folder: Path, proxies: Mapping[str, Proxy], taps: Taps
    ) -> None:
        self.name = name
        self.proxies = proxies
        self.taps = taps
        self.ledger = Ledger()
        self.wanted = False
        self.frozen_at: float | None = None
        self.clock_error = timedelta()
        self.log = folder / f"{name}.log"
        self.environment: dict[str, str] = {}
        self.never_killed = False
        """Never killed: its resources are measured over all days."""
        self._truth = truth
        self._folder = folder
        self._process: ForkServerProcess | None = None
        self._clock: Connection | None = None
        self._stopping = False
        self._supervisor: asyncio.Task[None] | None = None
        self._up_since = 0.0
        self._probes = 0
        self._queried_at = 0.0
        self._restarted_at = 0.0
        self.port = _find_port()
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        """Whether the process runs, frozen or not."""
        return self._process is not None and self._process.exitcode is None

    def start(self) -> None:
        """Run the process and restart it after any end, until ``kill`` or ``stop``."""
        self.wanted = True
        if self._supervisor is None or self._supervisor.done():
            self._supervisor = asyncio.create_task(self._supervise(), name=self.name)

    async def _supervise(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while self.wanted:
            if not self.alive:
                self._launch()
            process, begun = self._process, time.monotonic()
            assert process is not None
            while process.exitcode is None:  # noqa: ASYNC110 - a process of the fork server
                await asyncio.sleep(0.02)
            if self._stopping:
                continue
            self.ledger.unexpected_exits.append(process.exitcode or 0)
            pause = (
                _FIRST_PAUSE_SECONDS
                if time.monotonic() - begun > _LONGEST_PAUSE_SECONDS
                else min(pause * 2, _LONGEST_PAUSE_SECONDS)
            )
            await asyncio.sleep(pause)

    def _launch(self) -> None:
        receiver, self._clock = _FORKS.Pipe(duplex=False)
        self._process = _FORKS.Process(
            target=run_replica, args=(self._folder, self.environment, self.log, receiver)
        )
        self._process.start()
        receiver.close()
        self._up_since = self._queried_at = time.monotonic()
        self.frozen_at, self._stopping = None, False
        self.set_clock()

    def set_clock(self) -> None:
        """Set its wall clock to the true time plus its error."""
        if self._clock is not None:
            with suppress(OSError):
                self._clock.send((self._truth.offset + self.clock_error).total_seconds())

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process if it runs."""
        if self._process is not None and self._process.exitcode is None and self._process.pid:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, number)

    def kill(self) -> None:
        """Kill it with SIGKILL; it stays down until ``start``."""
        self.wanted = False
        self._stopping = True
        if self.alive:
            self.ledger.kills.append(time.monotonic())
            self._record_thaw()
            self.signal(signal.SIGKILL)

    async def stop(self) -> float | None:
        """Stop it with SIGTERM and return the seconds until its end.

        Return None if it did not run or was killed meanwhile.
        """
        self.wanted = False
        self.thaw()
        process, begun = self._process, time.monotonic()
        if process is None or process.exitcode is not None:
            return None
        self._stopping = True
        self.signal(signal.SIGTERM)
        while process.exitcode is None and time.monotonic() - begun < _EXIT_PATIENCE_SECONDS:  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.02)
        seconds = time.monotonic() - begun
        if process.exitcode == -signal.SIGKILL:  # a fault has killed it meanwhile
            return None
        self.ledger.exit_seconds.append(seconds)
        if process.exitcode is None:
            self.signal(signal.SIGKILL)
        return seconds

    async def wait_ended(self) -> None:
        """Wait for the end of a process that was killed or stopped.

        Return at once if it was started again: two faults may have killed one process.
        """
        supervisor = self._supervisor
        while supervisor and not (self.wanted or supervisor.done()):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.02)

    def freeze(self) -> None:
        """Freeze it with SIGSTOP."""
        if self.alive and self.frozen_at is None:
            self.frozen_at = time.monotonic()
            self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Thaw it with SIGCONT."""
        if self.frozen_at is not None:
            self._record_thaw()
            self.signal(signal.SIGCONT)

    def _record_thaw(self) -> None:
        if self.frozen_at is not None:
            self.ledger.freezes.append((self.frozen_at, time.monotonic()))
            self.frozen_at = None
            self.restart_stuck_timer()

    def restart_stuck_timer(self) -> None:
        """Restart the detection of being stuck: until now a fault blocked its Postgres."""
        self._restarted_at = time.monotonic()

    def heal(self) -> None:
        """End the faults of its connections, its clock and its process."""
        for proxy in self.proxies.values():
            proxy.mode, proxy.delay_seconds = Mode.PASS, 0.0
        self.taps.traps.clear()
        self.taps.answer_delay_seconds = 0.0
        self.clock_error = timedelta()
        self.set_clock()
        self.thaw()

    @contextmanager
    def probing(self) -> Iterator[None]:
        """Ignore queries to Postgres within the context and shortly after.

        The bench's own requests cause them, so they do not prove that the worker runs.
        """
        self._note_query()
        self._probes += 1
        try:
            yield
        finally:
            asyncio.get_running_loop().call_later(_PROBE_TAIL_SECONDS, self._end_probe)

    def _end_probe(self) -> None:
        self._probes -= 1
        self.proxies["postgres"].sent_at = min(self.proxies["postgres"].sent_at, self._queried_at)

    def _note_query(self) -> None:
        if not self._probes:
            self._queried_at = max(self._queried_at, self.proxies["postgres"].sent_at)

    async def readiness(self) -> str:
        """Return the status of ``/health/ready``, or the error's name."""
        with self.probing():
            try:
                async with httpx.AsyncClient(base_url=self.url, timeout=10) as rest:
                    return str((await rest.get("/health/ready")).status_code)
            except httpx.HTTPError as error:
                return type(error).__name__

    def check_stuck(self, readiness: str | None, *, blocked: bool) -> None:
        """Detect whether it is stuck. ``blocked``: a continuing fault blocks its Postgres."""
        self._note_query()
        if blocked or self._stopping or not self.alive or self.frozen_at is not None:
            self.restart_stuck_timer()
        since = max(self._queried_at, self._up_since, self._restarted_at)
        spans, silent = self.ledger.stuck, time.monotonic() - since
        if silent < STUCK_SECONDS:
            return
        if not spans or spans[-1].since < since:
            spans.append(Stuck(self.name, since))
        spans[-1].seconds = silent
        if readiness is not None and silent > STUCK_SECONDS:
            spans[-1].readiness.append(readiness)

    @property
    def stuck(self) -> bool:
        """Whether it is stuck, according to the last check."""
        spans = self.ledger.stuck
        return (
            bool(spans)
            and self.alive
            and spans[-1].since >= max(self._queried_at, self._up_since, self._restarted_at)
        )

    def sample(self) -> None:
        """Measure the resources of the process."""
        if not self.alive or self.frozen_at is not None or self._process is None:
            return
        with suppress(psutil.Error):
            process = psutil.Process(self._process.pid)
            connections = len(self.proxies["postgres"].wires)
            self.ledger.samples.append(
                Sample(
                    self._truth().date(),
                    process.memory_info().rss / 2**20,
                    process.num_fds(),
                    connections,
                )
            )

    async def close(self) -> None:
        """End the process and its proxies."""
        self.wanted, self._stopping = False, True
        self.signal(signal.SIGKILL)
        await self.wait_ended()
        if self._clock is not None:
            self._clock.close()
        for proxy in self.proxies.values():
            await proxy.stop()
