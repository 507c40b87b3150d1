"""How a command runs as a process: its exit code, its signals, and one line for whatever went
wrong.
"""

import asyncio
import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine
from enum import IntEnum
from queue import SimpleQueue
from types import FrameType
from typing import Any, NoReturn, TypeVar

import structlog
import typer

from app.cli.open_files import raise_file_limit
from app.cli.usage import complaint
from app.config import Settings, load_settings
from app.database.cluster import EmbeddedPostgresError
from app.errors import (
    AppError,
    DatabaseUnavailableError,
    InvalidRequestError,
    SettingsError,
    StalledError,
)
from app.log import configure_logging

log = structlog.get_logger(__name__)

T = TypeVar("T")

PROGRAM = "avito-quality"

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
END_SECONDS = 9.0
"""How long the process may take to end in order. Supervisors of containers kill after ten seconds.
"""
_LOG_SECONDS = 0.5


class ExitCode(IntEnum):
    """What the process ends with."""

    DONE = 0
    FAILED = 1
    """The work failed in part or whole: an account, a recipient, the model, a fault that doctor
    found.
    """
    MISUSED = 2
    """A wrong command line, a setting that is missing or wrong, a file that cannot be read as it
    is.
    """
    NO_DATABASE = 3
    STALLED = 4
    """A part of the service did not work for ten minutes, or the process did not end in time: only
    a new start helps.
    """
    INTERRUPTED = 130


def guarded(command: Callable[[], int]) -> int:
    """The command's exit code; whatever it fails of becomes one line on stderr and never a
    traceback.

    With ``LOG_LEVEL=DEBUG`` the log shows the traceback of what nobody foresaw.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal without Cyrillic is no reason to fail
    configure_logging(
        "WARNING", "console"
    )  # until the settings are read; unconfigured it would print local variables
    try:
        return command()
    except Exception as error:
        code, sentence = _told(error)
        print(f"{PROGRAM}: {sentence}", file=sys.stderr)
        return code


_CODES: dict[tuple[type[AppError], ...], ExitCode] = {
    (SettingsError, InvalidRequestError): ExitCode.MISUSED,
    (DatabaseUnavailableError, EmbeddedPostgresError): ExitCode.NO_DATABASE,
    (StalledError,): ExitCode.STALLED,
}


def _told(error: Exception) -> tuple[ExitCode, str]:
    match error:
        case typer.TyperException():
            return ExitCode.MISUSED, complaint(error)
        case AppError():
            return (
                next(
                    (code for kinds, code in _CODES.items() if isinstance(error, kinds)),
                    ExitCode.FAILED,
                ),
                error.message,
            )
        case ModuleNotFoundError():
            package = (error.name or "").partition(".")[0]
            return (
                ExitCode.FAILED,
                (
                    f"нет пакета {package}: установите его командой pip install"
                    " 'avito-quality[local]'."
                ),
            )
        case _:
            log.debug("command.crashed", exc_info=error)
            return (
                ExitCode.FAILED,
                (
                    f"внутренняя ошибка ({type(error).__name__}); подробности в журнале при"
                    " LOG_LEVEL=DEBUG."
                ),
            )


def read_settings() -> Settings:
    """The settings; from here on the log heeds them.

    Raises:
        SettingsError: one line that names the setting, or says what is the matter with their file.
    """
    try:
        settings = load_settings()
    except UnicodeDecodeError:
        raise SettingsError(".env: файл не в кодировке UTF-8; сохраните его заново.") from None
    except OSError as error:
        raise SettingsError(f".env: файл не читается ({error.strerror}).") from None
    log_quietly(settings)
    return settings


def log_quietly(settings: Settings) -> None:
    """Logs of a command that a person waits for: its own words tell the course of things, so the
    log is for warnings.
    """
    configure_logging(
        "WARNING" if settings.log_level == "INFO" else settings.log_level, settings.log_format
    )


def end_at_once(event: str, **fields: object) -> NoReturn:
    """Log why and end the process without tidying up: for when that is what hangs. The next start
    recovers.
    """
    # In a thread of its own: the one that hangs may hold the lock of the log.
    logging = threading.Thread(target=log.critical, args=(event,), kwargs=fields, daemon=True)
    logging.start()
    logging.join(_LOG_SECONDS)
    os._exit(ExitCode.STALLED)


class _LastResort:
    """Ends the process when it has not ended in order. A thread: the event loop, or what comes
    after it, may be what hangs.
    """

    def __init__(self) -> None:
        self._asked: SimpleQueue[int] = SimpleQueue()
        threading.Thread(target=self._wait, name="last-resort", daemon=True).start()

    def ask(self, received: int) -> None:
        """Begin to count; a signal's handler may call it."""
        self._asked.put(received)

    def _wait(self) -> None:
        received = self._asked.get()
        threading.Event().wait(END_SECONDS)
        end_at_once(
            "process.end_too_slow", signal=signal.Signals(received).name, seconds=END_SECONDS
        )


def run(work: Coroutine[None, None, int], *, stopped: ExitCode = ExitCode.INTERRUPTED) -> int:
    """Carries a command's work out. The first Ctrl-C, SIGTERM or SIGHUP cancels it, and it ends in
    its own time, with ``stopped``.

    Further signals change nothing: what they would cut short is the tidying up. If that takes too
    long, the process ends without it.
    """
    raise_file_limit()
    gc.freeze()  # what is imported stays for good
    gc.enable()
    with asyncio.Runner() as runner:
        return runner.run(_until_stopped(work, stopped))


async def _until_stopped(work: Coroutine[None, None, int], stopped: ExitCode) -> int:
    task = asyncio.ensure_future(work)
    loop, last_resort = asyncio.get_running_loop(), _LastResort()
    asked: list[int] = []

    def stop(received: int, _: FrameType | None) -> None:
        if asked:
            return
        asked.append(received)
        last_resort.ask(received)
        if not loop.is_closed():
            loop.call_soon_threadsafe(task.cancel)

    for wanted in _STOP_SIGNALS:
        if wanted is signal.SIGHUP and signal.getsignal(wanted) is signal.SIG_IGN:
            continue  # started under nohup, to outlive its terminal
        # Not the loop's own handlers: a loop that is blocked does not call them.
        signal.signal(wanted, stop)
    try:
        return await task
    except asyncio.CancelledError:
        if asked:
            return stopped
        raise


async def beside(work: Coroutine[Any, Any, T], *guards: asyncio.Task[None]) -> T:
    """What the work comes to; a guard is to outlive it, so one that ends before it is a failure.

    Raises:
        AppError: a guard has ended with it.
        RuntimeError: a guard has ended otherwise; its own error is the cause.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task, *guards}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        ended = next(guard for guard in guards if guard.done())
        cause = None if ended.cancelled() else ended.exception()
        if isinstance(cause, AppError):
            raise cause
        log.error("command.part_ended", part=ended.get_name(), exc_info=cause)
        raise RuntimeError(f"{ended.get_name()} has ended") from cause
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
