"""Command execution: exit code, signals, and errors as one line."""

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
from app.cli.usage import describe_usage_error
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
"""Time limit of an orderly exit. Container supervisors kill the process after ten seconds."""
_LOG_SECONDS = 0.5


class ExitCode(IntEnum):
    """Exit codes of the process."""

    DONE = 0
    FAILED = 1
    """The work failed in part or as a whole: an account, a recipient, the model, a diagnosis."""
    MISUSED = 2
    """A wrong command line, a missing or invalid setting, or an unreadable file."""
    NO_DATABASE = 3
    STALLED = 4
    """A part of the service did not work for ten minutes, or the process did not end in time.

    Only a restart helps.
    """
    INTERRUPTED = 130


def run_guarded(command: Callable[[], int]) -> int:
    """Run a command and return its exit code; an error becomes one line on stderr.

    A traceback is never printed. With ``LOG_LEVEL=DEBUG`` the log contains the traceback of an
    unexpected error.
    """
    for stream in (sys.stdout, sys.stderr):
        # The command must not fail on a terminal that cannot show Cyrillic.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    # Until the settings are read. An unconfigured log would print local variables.
    configure_logging("WARNING", "console")
    try:
        return command()
    except Exception as error:
        code, sentence = _describe_error(error)
        print(f"{PROGRAM}: {sentence}", file=sys.stderr)
        return code


_CODES: dict[tuple[type[AppError], ...], ExitCode] = {
    (SettingsError, InvalidRequestError): ExitCode.MISUSED,
    (DatabaseUnavailableError, EmbeddedPostgresError): ExitCode.NO_DATABASE,
    (StalledError,): ExitCode.STALLED,
}


def _describe_error(error: Exception) -> tuple[ExitCode, str]:
    match error:
        case typer.TyperException():
            return ExitCode.MISUSED, describe_usage_error(error)
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
    """Load the settings and configure the log by them.

    Raises:
        SettingsError: one line that names the invalid setting or the fault of the settings file.
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
    """Configure the log of an interactive command: warnings only, unless LOG_LEVEL is not INFO.

    The command prints its progress itself.
    """
    configure_logging(
        "WARNING" if settings.log_level == "INFO" else settings.log_level, settings.log_format
    )


def end_at_once(event: str, **fields: object) -> NoReturn:
    """Log the reason and exit without cleanup, which may be what hangs. The next start recovers."""
    # In a separate thread: the hanging thread may hold the lock of the log.
    logging = threading.Thread(target=log.critical, args=(event,), kwargs=fields, daemon=True)
    logging.start()
    logging.join(_LOG_SECONDS)
    os._exit(ExitCode.STALLED)


class _ForcedExit:
    """Ends the process if it has not ended in time after a signal.

    It is a thread: the event loop, or the code after it, may be what hangs.
    """

    def __init__(self) -> None:
        self._signals: SimpleQueue[int] = SimpleQueue()
        threading.Thread(target=self._wait, name="last-resort", daemon=True).start()

    def arm(self, received: int) -> None:
        """Start the time limit. Safe to call in a signal handler."""
        self._signals.put(received)

    def _wait(self) -> None:
        received = self._signals.get()
        threading.Event().wait(END_SECONDS)
        end_at_once(
            "process.end_too_slow", signal=signal.Signals(received).name, seconds=END_SECONDS
        )


def run(work: Coroutine[None, None, int], *, stopped: ExitCode = ExitCode.INTERRUPTED) -> int:
    """Run a command's coroutine. The first Ctrl-C, SIGTERM or SIGHUP cancels it.

    A cancelled command cleans up and returns ``stopped``. Further signals are ignored: they would
    only interrupt the cleanup. If the cleanup takes too long, the process exits without it.
    """
    raise_file_limit()
    gc.freeze()  # imported modules are never freed
    gc.enable()
    with asyncio.Runner() as runner:
        return runner.run(_run_until_stopped(work, stopped))


async def _run_until_stopped(work: Coroutine[None, None, int], stopped: ExitCode) -> int:
    task = asyncio.ensure_future(work)
    loop, forced_exit = asyncio.get_running_loop(), _ForcedExit()
    signals: list[int] = []

    def stop(received: int, _: FrameType | None) -> None:
        if signals:
            return
        signals.append(received)
        forced_exit.arm(received)
        if not loop.is_closed():
            loop.call_soon_threadsafe(task.cancel)

    for stop_signal in _STOP_SIGNALS:
        if stop_signal is signal.SIGHUP and signal.getsignal(stop_signal) is signal.SIG_IGN:
            continue  # started with nohup: must survive the terminal
        # The loop's own handlers are not used: a blocked loop does not call them.
        signal.signal(stop_signal, stop)
    try:
        return await task
    except asyncio.CancelledError:
        if signals:
            return stopped
        raise


async def run_with_guards(work: Coroutine[Any, Any, T], *guards: asyncio.Task[None]) -> T:
    """Return the result of the work. Fail if a guard task ends before it.

    Raises:
        AppError: a guard ended with this error.
        RuntimeError: a guard ended otherwise; its own error is the cause.
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
