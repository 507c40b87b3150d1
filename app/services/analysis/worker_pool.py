"""Worker processes for the costly work on a chat's text: whatever a buyer has written, the event
loop goes on and only its chat fails.

An own pool and no library: concurrent.futures loses every call when one process dies, and it, loky
and pebble load the whole service into each worker (multiprocessing runs ``__main__`` again) and
bound the time on the clock instead of the processor's.
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
"""Processor time for all the work on one chat."""
MEMORY_MB = 300
"""Memory for one call, above that of the idle process."""
_CLOCK_SECONDS = 120.0
"""How long a call may take where its process gets next to no processor time."""
_IDLE_SECONDS = 30.0
"""After which a process without a call ends: between two gradings there is none."""
_START_SECONDS = 30.0
_MOST_WORKERS = 4
_KEPT_VARIABLES = ("LD_LIBRARY_PATH", "PYTHONTZPATH")
"""What a worker gets of the environment: no secret is in the process that reads strangers' text."""


class ChatWorkError(AppError):
    """The work on this chat's text cannot be done within its limits, or not at all."""


class WorkersUnavailableError(AppError):
    """No worker process can be started: no chat can be graded."""


class _OutOfTimeError(Exception):
    """A call took the processor time that it may take: the kernel has ended its process."""


class _KilledError(Exception):
    """The system has ended a worker in the middle of a call: most likely there was no memory left
    for anybody.
    """


@dataclass
class Allowance:
    """The processor time that is left for one chat; each call takes from it."""

    cpu_seconds: float


class WorkerPool:
    """A limited number of processes, each started on demand. Close it, or use it as a context."""

    def __init__(
        self,
        workers: int | None = None,
        *,
        cpu_seconds: float = CPU_SECONDS,
        memory_mb: int = MEMORY_MB,
    ) -> None:
        self._cpu_seconds = cpu_seconds
        self._memory_mb = memory_mb
        self._workers = workers or min(max(2, os.cpu_count() or 1), _MOST_WORKERS)
        self._places = asyncio.Semaphore(self._workers)
        self._alone = asyncio.Lock()
        self._idle: list[_Worker] = []
        self._ending: set[asyncio.Task[None]] = set()
        # One for all of them: what a chat's tokens are must not depend on the process that makes
        # them.
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
        """Ends every process that has no call; those with one end with it."""
        while self._idle:
            self._end(self._idle.pop())
        await asyncio.gather(*self._ending)

    def allowance(self) -> Allowance:
        """What one chat may take."""
        return Allowance(self._cpu_seconds)

    async def run(self, function: Callable[..., T], *arguments: object, allowance: Allowance) -> T:
        """What a function of a module returns for these arguments, in a process of its own.
        Cancelled, it ends that process.

        A call whose process the system kills is made once more, with no other call beside it.

        Raises:
            ChatWorkError: it took more than it may, or failed; the Russian reason.
            WorkersUnavailableError: there is no process to be had.
        """
        try:
            async with self._places:
                result: T = await self._call(function, arguments, allowance)
                return result
        except _KilledError:
            log.warning("grading.worker_killed")
        async with self._alone, AsyncExitStack() as places:
            for _ in range(self._workers):
                await places.enter_async_context(self._places)
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
            raise self._too_slow()
        worker = self._idle.pop() if self._idle else await _Worker.start(self._hash_seed)
        worker.keep()
        goes_on = False
        try:
            async with asyncio.timeout(_CLOCK_SECONDS):
                reply = await worker.ask(
                    Call(function, arguments, allowance.cpu_seconds, self._memory_mb * 2**20)
                )
            goes_on = reply.goes_on
        except _OutOfTimeError:
            raise self._too_slow() from None
        except TimeoutError:
            raise ChatWorkError(
                f"Разбор переписки не кончился за {_CLOCK_SECONDS:.0f} с: чат остаётся без оценки."
            ) from None
        finally:
            if goes_on:
                self._idle.append(worker)
                worker.retire_after(_IDLE_SECONDS, self._retire)
            else:
                self._end(worker)
        allowance.cpu_seconds -= reply.cpu_seconds
        if allowance.cpu_seconds < 0:  # the kernel counts whole seconds
            raise self._too_slow()
        return self._result(reply)  # type: ignore[no-any-return]

    def _result(self, reply: Reply) -> Any:
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

    def _too_slow(self) -> ChatWorkError:
        return ChatWorkError(
            f"Разбор переписки занял больше {self._cpu_seconds:.0f} с времени процессора: чат"
            " остаётся без оценки."
        )

    def _retire(self, worker: "_Worker") -> None:
        self._idle.remove(worker)
        self._end(worker)

    def _end(self, worker: "_Worker") -> None:
        worker.keep()
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
        """A process that waits for its first call.

        Raises:
            WorkersUnavailableError: it does not come to that.
        """
        environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        environment |= {
            "PYTHONPATH": os.pathsep.join(path or os.curdir for path in sys.path),
            "PYTHONHASHSEED": hash_seed,
        }
        program = (
            sys.executable,
            "-P",
            "-m",
            "app.services.analysis.worker_process",
            str(os.getpid()),
        )
        try:
            process = await asyncio.create_subprocess_exec(
                *program, env=environment, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
            )
        except OSError as error:
            raise _unavailable(error.strerror or type(error).__name__) from None
        worker = cls(process)
        try:
            async with asyncio.timeout(_START_SECONDS):
                await worker._receive()
        except BaseException as error:
            await worker.end()
            if isinstance(error, _KilledError | _OutOfTimeError | TimeoutError):
                raise _unavailable("он сразу завершается") from None
            raise
        return worker

    async def ask(self, call: Call) -> Reply:
        """The reply to a call.

        Raises:
            _OutOfTimeError: the call took the processor time that it may take.
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
        """Calls ``retire`` unless the process is kept before then."""
        self._retirement = asyncio.get_running_loop().call_later(seconds, retire, self)

    def keep(self) -> None:
        """There is work for the process, or it has ended already."""
        if self._retirement is not None:
            self._retirement.cancel()
            self._retirement = None

    async def end(self) -> None:
        """Ends the process at once, whatever it does."""
        self._calls.close()
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()


def _unavailable(why: str) -> WorkersUnavailableError:
    return WorkersUnavailableError(
        f"Не запустить процесс для разбора переписки ({why}): освободите память сервера и"
        " повторите."
    )
