"""``doctor``: check every setting and every external system, and state what to fix."""

from pathlib import Path

from app.cli.console import print_line
from app.cli.doctor_avito import check_avito
from app.cli.doctor_findings import DoctorFindings
from app.cli.doctor_local import (
    check_clock,
    check_company_facts,
    check_database,
    check_folder,
    check_listed_texts,
    check_rubric,
    check_settings,
    check_timetable,
)
from app.cli.doctor_network import check_proxies
from app.cli.doctor_upstreams import check_deepseek, check_mail
from app.cli.process import ExitCode, read_settings
from app.config import Settings, list_settings_faults
from app.errors import SettingsError
from app.russian_text import plural


async def run_doctor() -> int:
    """Run all checks and print a line for each result as it becomes known."""
    _print_settings_source()
    findings = DoctorFindings()
    try:
        settings = read_settings()
    except SettingsError as error:
        for fault in _read_settings_faults() or [error.message]:
            findings.bad(fault)
        print_line("Остальное без них не проверить: исправьте и запустите doctor ещё раз.")
        return ExitCode.FAILED
    await _run_checks(findings, settings)
    if findings.faults:
        print_line(
            f"Исправить: {plural(findings.faults, 'ошибку', 'ошибки', 'ошибок')}, они отмечены ✗."
        )
        return ExitCode.FAILED
    print_line("Всё в порядке.")
    return ExitCode.DONE


def _print_settings_source() -> None:
    file = "и из файла .env" if Path(".env").is_file() else "(файла .env в этой папке нет)"
    print_line(f"Настройки берутся из переменных окружения {file}.")


def _read_settings_faults() -> list[str]:
    try:
        return list_settings_faults()
    except (OSError, UnicodeDecodeError):  # the file is unreadable: reported by ``read_settings``
        return []


async def _run_checks(findings: DoctorFindings, settings: Settings) -> None:
    check_settings(findings, settings)
    check_rubric(findings, settings)
    check_listed_texts(findings, settings)
    check_company_facts(findings, settings)
    check_timetable(findings, settings)
    check_folder(findings, settings)
    await check_database(findings, settings)
    if check_proxies(findings, settings):
        await check_avito(findings, settings)
        if settings.accounts:
            await check_clock(findings, settings)
        await check_deepseek(findings, settings)
    await check_mail(findings, settings)
