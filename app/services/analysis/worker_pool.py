"""Pool of worker processes for CPU-intensive work on chat texts.

Whatever a buyer writes, the event loop is not blocked, and only the buyer's chat can fail.

No library is suitable. If one process dies, concurrent.futures loses every call. It, loky and
pebble load the whole service into each worker (multiprocessing executes ``__main__`` again), and
they limit elapsed time instead of processor time.
"""

import asyncio
import os
import pickle
import secrets
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

import structlog

from app.errors import AppError
from app.services.analysis.worker_process import LENGTH, Call, Ending, Reply

T = TypeVar("T")

log = structlog.get_logger(__name__)

CPU_SECONDS = 10.0
"""Limit of processor time for all calls of one chat."""
MEMORY_MB = 300
"""Limit of memory for one call, in addition to the memory of the idle process."""
_CLOCK_SECONDS = 120.0
"""Limit of elapsed time for one call, for a process that gets hardly any processor time."""
IDLE_SECONDS = 30.0
"""An idle process ends after this time, so there is none between two gradings."""
_START_SECONDS = 30.0
_MOST_WORKERS = 4
_KEPT_VARIABLES = ("LD_LIBRARY_PATH", "PYTHONTZPATH")
"""Environment variables of a worker. A process that reads untrusted text contains no secrets."""


class ChatWorkError(AppError):
    """The work on this chat has exceeded its limits or has crashed."""


class WorkersUnavailableError(AppError):
    """No worker process can be started, so no chat can be graded."""


class _OutOfTimeError(Exception):
    """A call has exceeded its processor time, and the kernel has killed its process."""


class _KilledError(Exception):
    """The system has killed a worker during a call, most likely because it was out of memory."""


@dataclass
class Allowance:
    """The remaining processor time of one chat. Each call reduces it."""

    cpu_seconds: float


class WorkerPool:
    """A limited number of processes, started on demand. Close it or use it as a context manager."""

    def __init__(
        self,
        workers: int | None = None,
        *,
        cpu_seconds: float = CPU_SECONDS,
        memory_mb: int = MEMORY_MB,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._idle_seconds = idle_seconds
        self._cpu_seconds = cpu_seconds
        self._memory_mb = memory_mb
        self._workers = workers or min(max(2, os.cpu_count() or 1), _MOST_WORKERS)
        self._slots = asyncio.Semaphore(self._workers)
        self._exclusive = asyncio.Lock()
        self._idle: list[_Worker] = []
        self._ending: set[asyncio.Task[None]] = set()
        # The same for all processes: the tokens of a chat must not depend on the process.
        self._hash_seed = str(secrets.randbelow(2**32))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End the idle processes and wait until all ending processes are gone."""
        while self._idle:
            self._end(self._idle.pop())
        await asyncio.gather(*self._ending)

    def make_allowance(self) -> Allowance:
        """Return the processor time for one chat."""
        return Allowance(self._cpu_seconds)

    async def run(self, function: Callable[..., T], *arguments: object, allowance: Allowance) -> T:
        """Call a module-level function in a worker process and return its result.

        A cancellation kills the process. If the system kills the process, the call is repeated
        once, while no other call runs.

        Raises:
            ChatWorkError: the call has exceeded a limit or failed; the message is Russian.
            WorkersUnavailableError: no process can be started.
        """
        try:
            async with self._slots:
                result: T = await self._call(function, arguments, allowance)
                return result
        except _KilledError:
            log.warning("grading.worker_killed")
        async with self._exclusive, AsyncExitStack() as stack:
            for _ in range(self._workers):
                await stack.enter_async_context(self._slots)
            try:
                result = await self._call(function, arguments, allowance)
            except _KilledError:
                raise ChatWorkError(
                    "Система дважды прервала разбор переписки, обычно от нехватки памяти: чат"
                    " остаётся без оценки."
                ) from None
        return result

    async def _call(
        self, function: Callable[..., T], arguments: tuple[object, ...], allowance: Allowance
    ) -> T:
        if allowance.cpu_seconds <= 0:
            raise self._make_cpu_error()
        worker = self._idle.pop() if self._idle else await _Worker.start(self._hash_seed)
        worker.cancel_retirement()
        reusable = False
        try:
            async with asyncio.timeout(_CLOCK_SECONDS):
                reply = await worker.call(
                    Call(function, arguments, allowance.cpu_seconds, self._memory_mb * 2**20)
                )
            reusable = reply.reusable
        except _OutOfTimeError:
            raise self._make_cpu_error() from None
        except TimeoutError:
            raise ChatWorkError(
                f"Разбор переписки не кончился за {_CLOCK_SECONDS:.0f} с: чат остаётся без оценки."
            ) from None
        finally:
            if reusable:
                self._idle.append(worker)
                worker.retire_after(self._idle_seconds, self._retire)
            else:
                self._end(worker)
        allowance.cpu_seconds -= reply.cpu_seconds
        if allowance.cpu_seconds < 0:  # the kernel limits whole seconds
            raise self._make_cpu_error()
        return self._get_result(reply)  # type: ignore[no-any-return]

    def _get_result(self, reply: Reply) -> Any:
        if reply.ending is Ending.DONE:
            return reply.result
        if reply.ending is Ending.OUT_OF_MEMORY:
            raise ChatWorkError(
                f"Разбору переписки не хватило {self._memory_mb} МБ памяти: чат остаётся без"
                " оценки."
            )
        name, places = reply.result
        log.error("grading.work_crashed", error=name, places=places)
        raise ChatWorkError(
            f"Переписку не удалось разобрать (внутренняя ошибка {name}): чат остаётся без оценки."
        )

    def _make_cpu_error(self) -> ChatWorkError:
        return ChatWorkError(
            f"Разбор переписки занял больше {self._cpu_seconds:.0f} с времени процессора: чат"
            " остаётся без оценки."
        )

    def _retire(self, worker: "_Worker") -> None:
        self._idle.remove(worker)
        self._end(worker)

    def _end(self, worker: "_Worker") -> None:
        worker.cancel_retirement()
        task = asyncio.create_task(worker.end(), name="worker-end")
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


class _Worker:
    """One process and its two pipes."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None and process.stdout is not None  # noqa: S101 - both are pipes
        self._process, self._calls, self._replies = process, process.stdin, process.stdout
        self._retirement: asyncio.TimerHandle | None = None

    @classmethod
    async def start(cls, hash_seed: str) -> Self:
        """Start a process and wait until it is ready.

        Raises:
            WorkersUnavailableError: it does not start.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "app.services.analysis.worker_process"),
                str(os.getpid()),
                env=_make_environment(hash_seed),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
            )
        except OSError as error:
            raise _make_start_error(error.strerror or type(error).__name__) from None
        worker = cls(process)
        try:
            async with asyncio.timeout(_START_SECONDS):
                await worker._receive()
        except BaseException as error:
            await worker.end()
            if isinstance(error, _KilledError | _OutOfTimeError | TimeoutError):
                raise _make_start_error("он сразу завершается") from None
            raise
        return worker

    async def call(self, call: Call) -> Reply:
        """Send a call and return the reply.

        Raises:
            _OutOfTimeError: the call has exceeded its processor time.
            _KilledError: the process has ended without a reply.
        """
        content = pickle.dumps(call)
        try:
            self._calls.write(LENGTH.pack(len(content)) + content)
            await self._calls.drain()
        except ConnectionError:
            raise _KilledError from None
        reply: Reply = pickle.loads(await self._receive())  # noqa: S301 - from our own child
        return reply

    async def _receive(self) -> bytes:
        try:
            (length,) = LENGTH.unpack(await self._replies.readexactly(LENGTH.size))
            return await self._replies.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            if await self._process.wait() == -signal.SIGXCPU:
                raise _OutOfTimeError from None
            raise _KilledError from None

    def retire_after(self, seconds: float, retire: Callable[["_Worker"], None]) -> None:
        """Schedule ``retire``; see :meth:`cancel_retirement`."""
        self._retirement = asyncio.get_running_loop().call_later(seconds, retire, self)

    def cancel_retirement(self) -> None:
        """Cancel the scheduled end: the process gets a call or is ended now."""
        if self._retirement is not None:
            self._retirement.cancel()
            self._retirement = None

    async def end(self) -> None:
        """Kill the process, even during a call."""
        self._calls.close()
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()


def _make_environment(hash_seed: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return kept | {
        "PYTHONPATH": os.pathsep.join(path or os.curdir for path in sys.path),
        "PYTHONHASHSEED": hash_seed,
    }


def _make_start_error(why: str) -> WorkersUnavailableError:
    return WorkersUnavailableError(
        f"Не запустить процесс для разбора переписки ({why}): освободите память сервера и"
        " повторите."
    )
