"""Doctor's checks of what is our own: settings, rubric, folder, timetable, clock, database."""

import asyncio
import shutil
import urllib.error
import urllib.request
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from app.adapters import open_database
from app.cli.doctor_findings import DoctorFindings
from app.cli.serving import check_data_dir
from app.clock import system_clock
from app.config import Need, Settings
from app.database.migrate import get_current_revision, get_head_revision, is_known
from app.errors import SettingsError
from app.grading.rubric import RubricError, load_rubric
from app.jobs.tick import Timetable, next_report_at
from app.repositories import health

_NEEDS: tuple[Need, ...] = ("api", "avito", "deepseek", "mail")
_DATABASE_SECONDS = 60
_CLOCK_SECONDS = 10
_SKEW = timedelta(minutes=1)
"""So much a clock may be off; tokens and the day's edges bear no more."""
_LITTLE_BYTES, _TOO_LITTLE_BYTES = 1_000_000_000, 100_000_000


def check_settings(checkup: DoctorFindings, settings: Settings) -> None:
    """Whether everything is set that the service does not start without."""
    before = checkup.faults
    for need in _NEEDS:
        try:
            settings.require(need)
        except SettingsError as error:
            checkup.bad(error.message)
    if not settings.report_recipients and not settings.smtp_host:
        checkup.bad(
            "REPORT_RECIPIENTS: не задано; без получателей отчёт не отправляется даже в папку."
        )
    if checkup.faults == before:
        checkup.good("Настройки: обязательные заданы, все подходят.")


def check_rubric(checkup: DoctorFindings, settings: Settings) -> None:
    """Whether the rubric can be used."""
    try:
        rubric = load_rubric(settings.rubric_file)
    except RubricError as error:
        checkup.bad(f"RUBRIC_FILE: {error}")
    else:
        checkup.good(
            f"Критерии оценки: {settings.rubric_file or 'встроенные'}, версия {rubric.version}."
        )


def check_timetable(checkup: DoctorFindings, settings: Settings) -> None:
    """When the next day's run is due."""
    zone = settings.report_timezone
    if not settings.scheduler_enabled:
        checkup.unsure("Расписание выключено (SCHEDULER_ENABLED): отчёты — только по вызову.")
        return
    timetable = Timetable(
        settings.report_time, zone, timedelta(minutes=settings.sync_interval_minutes)
    )
    following = next_report_at(timetable, system_clock()).astimezone(zone)
    checkup.good(
        f"Расписание: следующий ежедневный отчёт {following:%d.%m.%Y в %H:%M}, {zone.key}."
    )


def check_folder(checkup: DoctorFindings, settings: Settings) -> None:
    """Whether DATA_DIR, where anything is kept in it, can be written and has room."""
    if settings.database_url is not None and settings.smtp_host is not None:
        checkup.good("DATA_DIR: не нужна, всё хранится в Postgres.")
        return
    try:
        check_data_dir(settings)
    except SettingsError as error:
        checkup.bad(error.message)
        return
    free = shutil.disk_usage(settings.data_dir).free
    words = f"DATA_DIR: {settings.data_dir.resolve()}, свободно {free / 1e9:.1f} ГБ"
    if free < _TOO_LITTLE_BYTES:
        checkup.bad(f"{words}; освободите место.")
    elif free < _LITTLE_BYTES:
        checkup.unsure(f"{words}; этого хватит ненадолго.")
    else:
        checkup.good(f"{words}.")


async def check_database(checkup: DoctorFindings, settings: Settings) -> None:
    """Whether the database answers, its schema is of today and its clock goes with ours; nothing in
    it is changed.
    """
    where = "DATABASE_URL" if settings.database_url else "встроенный, в DATA_DIR"
    async with (
        checkup.checking("База", _DATABASE_SECONDS),
        open_database(settings, migrated=False, patience_seconds=0) as database,
    ):
        checkup.good(f"База: Postgres {await database.check()} отвечает ({where}).")
        present, head = await get_current_revision(database), get_head_revision()
        if present == head:
            checkup.good(f"База: схема свежая ({head}).")
        elif present is None:
            checkup.unsure(
                "База: ещё пустая; схему создаст служба при запуске или команда migrate."
            )
        elif is_known(present):
            checkup.unsure(
                f"База: схема {present}, а нужна {head}; её обновит служба при запуске или команда"
                " migrate."
            )
        else:
            checkup.bad(
                f"База: её обновила более новая версия программы (схема {present}); обновите и эту."
            )
        async with database.session() as session:
            _compare_clocks(checkup, await health.database_now(session))
            newest = await health.newest_run_at(session) if present == head else None
        if newest is not None and newest - system_clock() > _SKEW:
            checkup.unsure(
                "Часы: последний запуск в базе — из будущего"
                f" ({newest.astimezone(settings.report_timezone):%d.%m.%Y %H:%M}): часы службы"
                " спешили или теперь отстают; проверьте синхронизацию времени (NTP)."
            )


def _compare_clocks(checkup: DoctorFindings, database_now: datetime) -> None:
    skew = (system_clock() - database_now).total_seconds()
    if abs(skew) > _SKEW.total_seconds():
        which = "спешат" if skew > 0 else "отстают"
        checkup.bad(
            f"Часы: {which} против часов базы на {abs(skew):.0f} с; включите синхронизацию времени"
            " (NTP) здесь и на сервере базы."
        )
    else:
        checkup.good("Часы: сходятся с часами базы.")


async def check_clock(checkup: DoctorFindings, settings: Settings) -> None:
    """Whether our clock goes with Avito's, which stands in the header of every answer."""
    stamp = await asyncio.to_thread(_date_header, str(settings.avito_base_url))
    try:
        skew = abs(parsedate_to_datetime(stamp) - system_clock())
    except (TypeError, ValueError):
        checkup.unsure("Часы: сверить не с чем, Авито не прислал время.")
        return
    if skew > _SKEW:
        checkup.bad(
            f"Часы: расходятся с Авито на {skew.total_seconds():.0f} с; включите на этой машине"
            " синхронизацию времени (NTP)."
        )
    else:
        checkup.good("Часы: идут верно.")


def _date_header(url: str) -> str:
    """The ``Date`` of whatever is answered under the address; empty where nothing is, or nothing
    with a date.
    """
    request = urllib.request.Request(url, method="HEAD")  # noqa: S310 - a setting that is checked to be http or https
    try:
        with urllib.request.urlopen(request, timeout=_CLOCK_SECONDS) as answer:  # noqa: S310
            return str(answer.headers.get("Date", ""))
    except urllib.error.HTTPError as answer:
        return str(answer.headers.get("Date", ""))
    except OSError:
        return ""
