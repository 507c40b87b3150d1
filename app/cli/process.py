"""How a command runs as a process: its exit code, its signals, and one line for whatever went wrong."""

import asyncio
import gc
import signal
import sys
from collections.abc import Callable, Coroutine
from enum import IntEnum
from typing import Any, TypeVar

import structlog
import typer

from app.cli.usage import complaint
from app.config import Settings, load_settings
from app.database.cluster import EmbeddedPostgresError
from app.errors import AppError, DatabaseUnavailableError, InvalidRequestError, SettingsError
from app.log import configure_logging

log = structlog.get_logger(__name__)

T = TypeVar("T")

PROGRAM = "avito-quality"

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class ExitCode(IntEnum):
    """What the process ends with."""

    DONE = 0
    FAILED = 1
    """The work failed in part or whole: an account, a recipient, the model, a fault that doctor found."""
    MISUSED = 2
    """A wrong command line, a setting that is missing or wrong, a file that cannot be read as it is."""
    NO_DATABASE = 3
    INTERRUPTED = 130


def guarded(command: Callable[[], int]) -> int:
    """The command's exit code; whatever it fails of becomes one line on stderr and never a traceback.

    With ``LOG_LEVEL=DEBUG`` the log shows the traceback of what nobody foresaw.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal without Cyrillic is no reason to fail
    configure_logging("WARNING", "console")  # until the settings are read; unconfigured it would print local variables
    try:
        return command()
    except Exception as error:
        code, sentence = _told(error)
        print(f"{PROGRAM}: {sentence}", file=sys.stderr)
        return code


def _told(error: Exception) -> tuple[ExitCode, str]:
    match error:
        case typer.TyperException():
            return ExitCode.MISUSED, complaint(error)
        case SettingsError() | InvalidRequestError():
            return ExitCode.MISUSED, error.message
        case DatabaseUnavailableError() | EmbeddedPostgresError():
            return ExitCode.NO_DATABASE, error.message
        case AppError():
            return ExitCode.FAILED, error.message
        case ModuleNotFoundError():
            package = (error.name or "").partition(".")[0]
            return ExitCode.FAILED, f"нет пакета {package}: установите его командой pip install 'avito-quality[local]'."
        case _:
            log.debug("command.crashed", exc_info=error)
            return ExitCode.FAILED, f"внутренняя ошибка ({type(error).__name__}); подробности в журнале при LOG_LEVEL=DEBUG."


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
    """Logs of a command that a person waits for: its own words tell the course of things, so the log is for warnings."""
    configure_logging("WARNING" if settings.log_level == "INFO" else settings.log_level, settings.log_format)


def run(work: Coroutine[None, None, int], *, stopped: ExitCode = ExitCode.INTERRUPTED) -> int:
    """Carries a command's work out. The first Ctrl-C, SIGTERM or SIGHUP cancels it, and it ends in its own time, with ``stopped``.

    Further signals change nothing: what they would cut short is the tidying up.
    """
    gc.freeze()  # what is imported stays for good
    gc.enable()
    with asyncio.Runner() as runner:
        return runner.run(_until_stopped(work, stopped))


async def _until_stopped(work: Coroutine[None, None, int], stopped: ExitCode) -> int:
    task = asyncio.ensure_future(work)
    asked: list[signal.Signals] = []

    def stop(received: signal.Signals) -> None:
        if not asked:
            task.cancel()
        asked.append(received)

    loop = asyncio.get_running_loop()
    for wanted in _STOP_SIGNALS:
        if wanted is signal.SIGHUP and signal.getsignal(wanted) is signal.SIG_IGN:
            continue  # started under nohup, to outlive its terminal
        loop.add_signal_handler(wanted, stop, wanted)
    try:
        return await task
    except asyncio.CancelledError:
        if asked:
            return stopped
        raise


async def beside(work: Coroutine[Any, Any, T], *guards: asyncio.Task[None]) -> T:
    """What the work comes to; a guard is to outlive it, so one that ends before it is a failure.

    Raises:
        RuntimeError: a guard has ended; its own error is the cause.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task, *guards}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        ended = next(guard for guard in guards if guard.done())
        cause = None if ended.cancelled() else ended.exception()
        log.error("command.part_ended", part=ended.get_name(), exc_info=cause)
        raise RuntimeError(f"{ended.get_name()} has ended") from cause
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
