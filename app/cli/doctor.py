"""``doctor``: checks every setting, talks to every outside system, and says what to fix."""

from pathlib import Path

from app.cli.console import say
from app.cli.doctor_avito import check_avito
from app.cli.doctor_findings import DoctorFindings
from app.cli.doctor_local import (
    check_clock,
    check_database,
    check_folder,
    check_rubric,
    check_settings,
    check_timetable,
)
from app.cli.doctor_upstreams import check_deepseek, check_mail
from app.cli.process import ExitCode, read_settings
from app.config import Settings, list_settings_faults
from app.errors import SettingsError
from app.services.plural import plural


async def run_doctor() -> int:
    """Prints a line for each check as it ends."""
    _say_where_settings_are()
    checkup = DoctorFindings()
    try:
        settings = read_settings()
    except SettingsError as error:
        for fault in _wrong_settings() or [error.message]:
            checkup.bad(fault)
        say("Остальное без них не проверить: исправьте и запустите doctor ещё раз.")
        return ExitCode.FAILED
    await _check_everything(checkup, settings)
    if checkup.faults:
        say(f"Исправить: {plural(checkup.faults, 'ошибку', 'ошибки', 'ошибок')}, они отмечены ✗.")
        return ExitCode.FAILED
    say("Всё в порядке.")
    return ExitCode.DONE


def _say_where_settings_are() -> None:
    file = "и из файла .env" if Path(".env").is_file() else "(файла .env в этой папке нет)"
    say(f"Настройки берутся из переменных окружения {file}.")


def _wrong_settings() -> list[str]:
    try:
        return list_settings_faults()
    except (
        OSError,
        UnicodeDecodeError,
    ):  # the file itself is at fault, which has a line of its own
        return []


async def _check_everything(checkup: DoctorFindings, settings: Settings) -> None:
    check_settings(checkup, settings)
    check_rubric(checkup, settings)
    check_timetable(checkup, settings)
    check_folder(checkup, settings)
    await check_database(checkup, settings)
    await check_avito(checkup, settings)
    if settings.accounts:
        await check_clock(checkup, settings)
    await check_deepseek(checkup, settings)
    await check_mail(checkup, settings)
