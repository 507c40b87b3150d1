"""``agreement``: export a sheet of chats for blind grading by hand, and report the agreement.

The report compares people with each other and with the model.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path

from app.adapters import open_database, read_company_facts, read_rubric
from app.cli.agreement_table import has_few_chats, list_notes, make_comparison_table
from app.cli.console import Mark, print_line, print_marked, screen
from app.cli.listening import check_data_dir
from app.cli.process import ExitCode
from app.clock import at_local
from app.config import Settings
from app.errors import SettingsError
from app.russian_text import choose_form, plural
from app.services.agreement.comparison import (
    Material,
    compare_grades,
    list_common_pairs,
    read_material,
)
from app.services.agreement.export import Export, export_sheet
from app.services.agreement.files import read_ratings


async def export(
    settings: Settings, path: Path, *, since: date | None, until: date | None, size: int, seed: int
) -> int:
    """Write the sheet. An existing file is never overwritten: it may contain a person's grades."""
    _check_target(path)
    if since and until and since > until:
        raise SettingsError("--since: позже, чем --until.")
    rubric, facts = read_rubric(settings), read_company_facts(settings)
    zone = settings.report_timezone
    start = _start_of_day(since, settings) if since else None
    end = _start_of_day(until, settings, days_later=1) if until else None
    check_data_dir(settings)
    print_line("Выбираю чаты…")
    async with open_database(settings) as database:
        exported = await export_sheet(
            database, rubric, zone, facts=facts, start=start, end=end, size=size, seed=seed
        )
    try:
        with path.open("xb") as target:
            target.write(exported.content)
    except OSError as error:
        raise SettingsError(
            f"{path}: не записать ({error.strerror}); укажите другой файл."
        ) from None
    _print_export(path, exported, size=size, seed=seed)
    return ExitCode.DONE


async def report(settings: Settings, paths: Sequence[Path], *, with_reviews: bool) -> int:
    """Print how people agree with each other and with the model."""
    ratings = read_ratings(paths)
    check_data_dir(settings)
    async with open_database(settings) as database:
        material = await read_material(database, ratings, with_reviews=with_reviews)
    _print_material(material, files=len(paths))
    has_few = False
    for comparison in compare_grades(material):
        print_line()
        print_line(comparison.title, style="bold")
        screen.print(make_comparison_table(comparison))
        has_few = has_few or has_few_chats(comparison)
    print_line()
    for note in list_notes(has_few=has_few):
        print_line(note, style="dim")
    return ExitCode.DONE


def _check_target(path: Path) -> None:
    if path.suffix.lower() != ".xlsx":
        raise SettingsError(f"{path}: имя файла должно кончаться на .xlsx.")
    if path.exists():
        raise SettingsError(
            f"{path}: такой файл уже есть, в нём может быть чья-то работа; укажите другое имя."
        )
    if not path.parent.is_dir():
        raise SettingsError(f"{path}: папки {path.parent} нет.")


def _start_of_day(day: date, settings: Settings, *, days_later: int = 0) -> datetime | None:
    """Return the start of a day, or None (no bound) after the last date of the calendar."""
    try:
        return at_local(day + timedelta(days=days_later), time.min, settings.report_timezone)
    except OverflowError:
        return None


def _print_export(path: Path, exported: Export, *, size: int, seed: int) -> None:
    chats = plural(exported.chats, "чат", "чата", "чатов")
    accounts = plural(exported.accounts, "аккаунта", "аккаунтов", "аккаунтов")
    print_marked(
        Mark.GOOD,
        f"{path}: {chats} из {exported.available}, от {accounts}, --seed {seed}. Оценок модели в"
        " файле нет.",
    )
    if exported.chats < size:
        print_marked(Mark.UNSURE, f"Просили {size}: больше чатов с отчётами за этот период нет.")
    if exported.changed:
        count = plural(exported.changed, "чат", "чата", "чатов")
        left_out = choose_form(exported.changed, "Не вошёл", "Не вошли", "Не вошли")
        print_marked(
            Mark.UNSURE,
            f"{left_out} {count}: в оценённую часть переписки сообщения скопированы уже после"
            " оценки.",
        )
    if exported.other_rubric:
        count = plural(exported.other_rubric, "отчёт сделан", "отчёта сделаны", "отчётов сделаны")
        print_marked(
            Mark.UNSURE,
            f"{count} по другой версии критериев, чем на листе «Критерии»: для них сравнение будет"
            " неточным.",
        )
    print_line("В файле переписка с личными данными: храните и удаляйте его как саму переписку.")
    print_line("Заполненный файл (или несколько): agreement report ФАЙЛ…", style="dim")


def _print_material(material: Material, *, files: int) -> None:
    people = ", ".join(
        f"{name} — {plural(len(graded), 'чат', 'чата', 'чатов')}"
        for name, graded in material.people.items()
    )
    print_line(f"Файлов: {files}. Эксперты: {people}. «Не могу оценить»: {material.open}.")
    versions = "; ".join(
        f"{model}, критерии {version} — {count}"
        for (model, version), count in material.versions.items()
    )
    print_line(f"Отчёты модели: {versions}.")
    if len(material.people) > 1 and not list_common_pairs(material):
        print_marked(Mark.UNSURE, "Общих чатов у экспертов нет: согласие между ними не посчитать.")
    if material.reviews is not None and not material.reviews[0]:
        print_marked(Mark.UNSURE, "Проверок в службе, в которых названа оценка, нет.")
    elif material.reviews is not None:
        count = plural(len(material.reviews[0]), "отчёт", "отчёта", "отчётов")
        print_marked(
            Mark.UNSURE,
            f"Проверки в службе ({count}) — не вслепую: человек видел оценку модели и чаще правит"
            " то, с чем не согласен. Их согласие с моделью нельзя сравнивать с согласием"
            " экспертов.",
        )
