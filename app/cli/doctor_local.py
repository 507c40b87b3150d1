"""Doctor's checks of the service itself: settings, rubric, folder, timetable, clock, database."""

import shutil
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.adapters import open_database, read_company_facts, read_listed_texts
from app.api.security import compute_key_id
from app.cli.doctor_findings import DoctorFindings
from app.cli.listening import check_data_dir
from app.clients.avito import create_avito_http, fetch_date_header
from app.clock import system_clock
from app.config import Need, Settings
from app.database.check import check_server
from app.database.migrate import get_current_revision, get_head_revision, is_known
from app.domain.messages import Side
from app.errors import SettingsError
from app.grading.rubric import RubricError, load_rubric
from app.jobs.due_runs import Timetable, find_next_report_time
from app.repositories import health
from app.repositories.placeholder_candidates import list_placeholder_candidates
from app.russian_text import plural
from app.services.display_text import shorten_for_mail

_NEEDS: tuple[Need, ...] = ("api", "avito", "deepseek", "mail")
_DATABASE_SECONDS = 60
_CLOCK_SECONDS = 10
_MAX_SKEW = timedelta(minutes=1)
"""Greatest accepted clock difference: token expiry and day boundaries tolerate no more."""
_CANDIDATES_OF = timedelta(days=30)
"""The age of the chats in which unknown placeholders are searched."""
_LOW_BYTES, _MIN_BYTES = 1_000_000_000, 100_000_000


def check_settings(findings: DoctorFindings, settings: Settings) -> None:
    """Check that all settings which ``serve`` requires are set."""
    before = findings.faults
    for need in _NEEDS:
        try:
            settings.require(need)
        except SettingsError as error:
            findings.bad(error.message)
    if not settings.report_recipients and not settings.smtp_host:
        findings.bad(
            "REPORT_RECIPIENTS: не задано; без получателей отчёт не отправляется даже в папку."
        )
    if findings.faults == before:
        findings.good("Настройки: обязательные заданы, все подходят.")
    if settings.api_keys:
        ids = ", ".join(compute_key_id(key.get_secret_value()) for key in settings.api_keys)
        findings.good(f"API_KEYS: в журнале запросов ключи обозначены {ids}.")


def check_rubric(findings: DoctorFindings, settings: Settings) -> None:
    """Check that the rubric is valid."""
    try:
        rubric = load_rubric(settings.rubric_file)
    except RubricError as error:
        findings.bad(f"RUBRIC_FILE: {error}")
    else:
        findings.good(
            f"Критерии оценки: {settings.rubric_file or 'встроенные'}, версия {rubric.version}."
        )


def check_listed_texts(findings: DoctorFindings, settings: Settings) -> None:
    """Check that the file of automatic replies can be used."""
    try:
        listed = read_listed_texts(settings)
    except SettingsError as error:
        findings.bad(error.message)
    else:
        if used := len(listed.lines) - len(listed.without_words):
            findings.good(f"Автоответы из AUTOREPLY_TEXTS_FILE: {used}.")
        if listed.without_words:
            findings.unsure(
                "AUTOREPLY_TEXTS_FILE: в строках без слов сравнивать нечего, они не действуют:"
                f" {', '.join(listed.without_words)}; впишите постоянные слова автоответа."
            )
        if settings.autoreply_texts_file and not listed.lines:
            findings.unsure(
                f"AUTOREPLY_TEXTS_FILE: файл {settings.autoreply_texts_file} пуст; впишите"
                " автоответы, по одному на строку."
            )


def check_company_facts(findings: DoctorFindings, settings: Settings) -> None:
    """Check that the file of the company's facts can be used, if there is one."""
    if settings.company_facts_file is None:
        return
    try:
        facts = read_company_facts(settings)
    except SettingsError as error:
        findings.bad(error.message)
    else:
        findings.good(f"Данные компании: {settings.company_facts_file}, знаков: {len(facts)}.")


def check_timetable(findings: DoctorFindings, settings: Settings) -> None:
    """Report when the next daily run is due."""
    zone = settings.report_timezone
    if not settings.scheduler_enabled:
        findings.unsure("Расписание выключено (SCHEDULER_ENABLED): отчёты — только по вызову.")
        return
    timetable = Timetable(
        settings.report_time, zone, timedelta(minutes=settings.sync_interval_minutes)
    )
    following = find_next_report_time(timetable, system_clock()).astimezone(zone)
    findings.good(
        f"Расписание: следующий ежедневный отчёт {following:%d.%m.%Y в %H:%M}, {zone.key}."
    )


def check_folder(findings: DoctorFindings, settings: Settings) -> None:
    """Check that DATA_DIR is writable and has free space, if it is needed."""
    if settings.database_url is not None and settings.smtp_host is not None:
        findings.good("DATA_DIR: не нужна, всё хранится в Postgres.")
        return
    try:
        check_data_dir(settings)
    except SettingsError as error:
        findings.bad(error.message)
        return
    free = shutil.disk_usage(settings.data_dir).free
    line = f"DATA_DIR: {settings.data_dir.resolve()}, свободно {free / 1e9:.1f} ГБ"
    if free < _MIN_BYTES:
        findings.bad(f"{line}; освободите место.")
    elif free < _LOW_BYTES:
        findings.unsure(f"{line}; этого хватит ненадолго.")
    else:
        findings.good(f"{line}.")


async def check_database(findings: DoctorFindings, settings: Settings) -> None:
    """Check the database's connection, schema revision and clock. Nothing in it is changed."""
    async with (
        findings.checking("База", _DATABASE_SECONDS, setting="DATABASE_URL"),
        open_database(settings, migrated=False, patience_seconds=0) as database,
    ):
        version = (await check_server(database)).version
        findings.good(f"База: Postgres {version} отвечает ({_name_addresses(settings)}).")
        present, head = await get_current_revision(database), get_head_revision()
        if present == head:
            findings.good(f"База: схема свежая ({head}).")
        elif present is None:
            findings.unsure(
                "База: таблиц службы в ней ещё нет; их создаст служба при запуске или команда"
                " migrate."
            )
        elif is_known(present):
            findings.unsure(
                f"База: схема {present}, а нужна {head}; её обновит служба при запуске или команда"
                " migrate."
            )
        else:
            findings.bad(
                f"База: её обновила более новая версия программы (схема {present}); обновите и эту."
            )
        async with database.session() as session:
            _compare_clocks(findings, await health.get_database_time(session))
            newest = await health.get_newest_run_time(session) if present == head else None
            if present == head:
                await check_placeholders(findings, session)
        if newest is not None and newest - system_clock() > _MAX_SKEW:
            findings.unsure(
                "Часы: последний запуск в базе — из будущего"
                f" ({newest.astimezone(settings.report_timezone):%d.%m.%Y %H:%M}): часы службы"
                " спешили или теперь отстают; проверьте синхронизацию времени (NTP)."
            )


def _name_addresses(settings: Settings) -> str:
    if settings.database_url is None:
        return "встроенный, в DATA_DIR"
    if settings.database_direct_url is None:
        return "DATABASE_URL"
    return "DATABASE_URL; миграции — по DATABASE_DIRECT_URL, это та же база"


async def check_placeholders(findings: DoctorFindings, session: AsyncSession) -> None:
    """Report texts of stored messages that may be unknown placeholders of Avito."""
    since = system_clock() - _CANDIDATES_OF
    candidates = await list_placeholder_candidates(session, since=since)
    for text, side, chats in candidates:
        author = "от клиента" if side == Side.CLIENT else "от компании"
        findings.unsure(
            f"Тексты: «{shorten_for_mail(text, 120)}» {author} стоит в начале"
            f" {plural(chats, 'чата', 'чатов', 'чатов')}, через секунды после создания: похоже на"
            " служебный текст Авито или автоответ, а считается словами человека."
        )
    if not candidates:
        findings.good("Тексты: неизвестных служебных текстов Авито не видно.")


def _compare_clocks(findings: DoctorFindings, database_now: datetime) -> None:
    skew = (system_clock() - database_now).total_seconds()
    if abs(skew) > _MAX_SKEW.total_seconds():
        which = "спешат" if skew > 0 else "отстают"
        findings.bad(
            f"Часы: {which} против часов базы на {abs(skew):.0f} с; включите синхронизацию времени"
            " (NTP) здесь и на сервере базы."
        )
    else:
        findings.good("Часы: сходятся с часами базы.")


async def check_clock(findings: DoctorFindings, settings: Settings) -> None:
    """Compare this machine's clock with the ``Date`` header of Avito's responses."""
    async with create_avito_http(
        str(settings.avito_base_url), timeout_seconds=_CLOCK_SECONDS, ca_file=settings.ca_file
    ) as http:
        stamp = await fetch_date_header(http)
    try:
        skew = abs(parsedate_to_datetime(stamp) - system_clock())
    except (TypeError, ValueError):
        findings.unsure("Часы: сверить не с чем, Авито не прислал время.")
        return
    if skew > _MAX_SKEW:
        findings.bad(
            f"Часы: расходятся с Авито на {skew.total_seconds():.0f} с; включите на этой машине"
            " синхронизацию времени (NTP)."
        )
    else:
        findings.good("Часы: идут верно.")
