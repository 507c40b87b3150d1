"""``agreement``: a sheet of chats to be graded by hand, blind; and from filled sheets, how far
people and the model agree.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path

from app.adapters import open_database, read_rubric
from app.cli.agreement_table import comparison_table, few, notes
from app.cli.console import Mark, say, say_marked, screen
from app.cli.process import ExitCode
from app.cli.serving import check_data_dir
from app.clock import at_local
from app.config import Settings
from app.errors import SettingsError
from app.services.agreement.comparison import Material, common_pairs, compare_grades, gather
from app.services.agreement.export import Export, export_sheet
from app.services.agreement.files import read_ratings
from app.services.plural import plural


async def export(
    settings: Settings, path: Path, *, since: date | None, until: date | None, size: int, seed: int
) -> int:
    """Writes the sheet; a file that is there already is never written over, for it may hold
    somebody's work.
    """
    _check_target(path)
    if since and until and since > until:
        raise SettingsError("--since: позже, чем --until.")
    rubric, zone = read_rubric(settings), settings.report_timezone
    start = _midnight(since, settings) if since else None
    end = _midnight(until, settings, days_later=1) if until else None
    check_data_dir(settings)
    say("Выбираю чаты…")
    async with open_database(settings) as database:
        drawn = await export_sheet(
            database, rubric, zone, start=start, end=end, size=size, seed=seed
        )
    try:
        with path.open("xb") as target:
            target.write(drawn.content)
    except OSError as error:
        raise SettingsError(
            f"{path}: не записать ({error.strerror}); укажите другой файл."
        ) from None
    _tell_export(path, drawn, size=size, seed=seed)
    return ExitCode.DONE


async def report(settings: Settings, paths: Sequence[Path], *, with_reviews: bool) -> int:
    """Prints how people agree with each other and with the model."""
    ratings = read_ratings(paths)
    check_data_dir(settings)
    async with open_database(settings) as database:
        material = await gather(database, ratings, with_reviews=with_reviews)
    _tell_material(material, files=len(paths))
    scarce = False
    for comparison in compare_grades(material):
        say()
        say(comparison.title, style="bold")
        screen.print(comparison_table(comparison))
        scarce = scarce or few(comparison)
    say()
    for note in notes(scarce=scarce):
        say(note, style="dim")
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


def _midnight(day: date, settings: Settings, *, days_later: int = 0) -> datetime | None:
    """The start of a day; None where the calendar ends, and then there is no bound."""
    try:
        return at_local(day + timedelta(days=days_later), time.min, settings.report_timezone)
    except OverflowError:
        return None


def _tell_export(path: Path, drawn: Export, *, size: int, seed: int) -> None:
    chats = plural(drawn.chats, "чат", "чата", "чатов")
    accounts = plural(drawn.accounts, "аккаунта", "аккаунтов", "аккаунтов")
    say_marked(
        Mark.GOOD,
        f"{path}: {chats} из {drawn.available}, от {accounts}, --seed {seed}. Оценок модели в файле"
        " нет.",
    )
    if drawn.chats < size:
        say_marked(Mark.UNSURE, f"Просили {size}: больше чатов с отчётами за этот период нет.")
    if drawn.changed:
        count = plural(drawn.changed, "чат", "чата", "чатов")
        say_marked(
            Mark.UNSURE,
            f"Не вошли {count}: в оценённую часть переписки сообщения скопированы уже после"
            " оценки.",
        )
    if drawn.other_rubric:
        count = plural(drawn.other_rubric, "отчёт сделан", "отчёта сделаны", "отчётов сделаны")
        say_marked(
            Mark.UNSURE,
            f"{count} по другой версии критериев, чем на листе «Критерии»: для них сравнение будет"
            " неточным.",
        )
    say("В файле переписка с личными данными: храните и удаляйте его как саму переписку.")
    say("Заполненный файл (или несколько): agreement report ФАЙЛ…", style="dim")


def _tell_material(material: Material, *, files: int) -> None:
    people = ", ".join(
        f"{name} — {plural(len(word), 'чат', 'чата', 'чатов')}"
        for name, word in material.people.items()
    )
    say(f"Файлов: {files}. Эксперты: {people}. «Не могу оценить»: {material.open}.")
    versions = "; ".join(
        f"{model}, критерии {version} — {count}"
        for (model, version), count in material.versions.items()
    )
    say(f"Отчёты модели: {versions}.")
    if len(material.people) > 1 and not common_pairs(material):
        say_marked(Mark.UNSURE, "Общих чатов у экспертов нет: согласие между ними не посчитать.")
    if material.reviews is not None and not material.reviews[0]:
        say_marked(Mark.UNSURE, "Проверок в службе, в которых названа оценка, нет.")
    elif material.reviews is not None:
        count = plural(len(material.reviews[0]), "отчёт", "отчёта", "отчётов")
        say_marked(
            Mark.UNSURE,
            f"Проверки в службе ({count}) — не вслепую: человек видел оценку модели и чаще правит"
            " то, с чем не согласен. Их согласие с моделью нельзя сравнивать с согласием"
            " экспертов.",
        )
