"""Read the sheets that people have filled in: .xlsx, or .csv as a Russian Excel saves it.

Any doubt is an error that names the row and the column.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from app.domain.criteria import Criterion
from app.domain.grades import Grade
from app.errors import InvalidRequestError
from app.grading.answer_words import parse_grade
from app.grading.verdict_error import VerdictError
from app.services.agreement.label_sheet import GRADES_SHEET, NO_OPINION, RATER, REPORT, list_choices


class SheetError(InvalidRequestError):
    """A sheet cannot be read. The message names the file and, if known, the row and column."""


@dataclass(frozen=True)
class Rating:
    """One person's grades of one chat. ``open``: the number of criteria marked ``NO_OPINION``."""

    report_id: int
    rater: str
    grades: Mapping[Criterion, Grade]
    open: int
    place: str
    """The file and row, in Russian."""


def read_ratings(paths: Sequence[Path]) -> list[Rating]:
    """Return every filled-in row of every file.

    Raises:
        SheetError: a file cannot be read, nothing is filled in, or a person has graded a chat
          twice.
    """
    ratings = [rating for path in paths for rating in _read_file(path)]
    if not any(rating.grades for rating in ratings):
        raise SheetError(
            "Ни в одном файле нет ни одной оценки: заполните лист «Оценки» и повторите."
        )
    first: dict[tuple[str, int], Rating] = {}
    for rating in ratings:
        known = first.setdefault((name_key(rating.rater), rating.report_id), rating)
        if known is not rating:
            twice = (
                f"отчёт {rating.report_id} эксперт «{rating.rater}» оценивает второй раз (первый —"
                f" {known.place})"
            )
            raise SheetError(f"{rating.place}: {twice}; оставьте одну строку.")
    return ratings


def name_key(rater: str) -> str:
    """Normalize a name, so that spellings of the same name are equal."""
    return " ".join(rater.casefold().replace("ё", "е").split())


def _read_file(path: Path) -> list[Rating]:
    rows = _list_records(_read_rows(path), path.name)
    raters = {name_key(record[RATER]): record[RATER] for _, record in rows if record[RATER]}
    only_rater = next(iter(raters.values())) if len(raters) == 1 else ""
    ratings = (
        _read_rating(record, only_rater, f"{path.name}, строка {number}") for number, record in rows
    )
    return [rating for rating in ratings if rating is not None]


def _read_rating(record: Mapping[str, str], only_rater: str, place: str) -> Rating | None:
    """Return the rating of a row; None if no grade is filled in.

    ``only_rater``: the name in the file if it contains only one.
    """
    given = {
        criterion: _parse_grade_cell(record[criterion.label], criterion, place)
        for criterion in Criterion
    }
    if not any(given.values()):
        return None
    rater = record[RATER] or only_rater
    if not rater:
        raise SheetError(
            f"{place}, столбец «{RATER}»: нет имени; впишите его (одного на файл достаточно в"
            " одной строке)."
        )
    grades = {criterion: grade for criterion, grade in given.items() if isinstance(grade, Grade)}
    left_open = list(given.values()).count(NO_OPINION)
    return Rating(_parse_report_id(record[REPORT], place), rater, grades, left_open, place)


def _parse_grade_cell(word: str, criterion: Criterion, place: str) -> Grade | str | None:
    """Return the grade of a cell, ``NO_OPINION``, or None if it is empty."""
    if not word:
        return None
    if name_key(word) == name_key(NO_OPINION):
        return NO_OPINION
    try:
        grade = parse_grade(word)
    except VerdictError:
        grade = None
    if grade is None or grade.value not in list_choices(criterion):
        fitting = ", ".join(list_choices(criterion))
        raise SheetError(
            f"{place}, столбец «{criterion.label}»: «{word[:40]}» не подходит; годятся: {fitting}"
            " или пустая ячейка."
        )
    return grade


def _parse_report_id(word: str, place: str) -> int:
    if word.isascii() and word.isdecimal() and 0 < int(word) < 2**63:
        return int(word)
    raise SheetError(
        f"{place}, столбец «{REPORT}»: «{word[:40]}» — не номер отчёта; верните номер из выгрузки."
    )


def _list_records(rows: Sequence[Sequence[str]], name: str) -> list[tuple[int, dict[str, str]]]:
    """Return the non-empty rows below the heading by column, each with its row number."""
    heading_at = next((place for place, row in enumerate(rows) if any(row)), None)
    if heading_at is None:
        raise SheetError(f"{name}: файл пуст; нужен лист «{GRADES_SHEET}» из выгрузки.")
    places = _find_columns(rows[heading_at], name)
    return [
        (
            number,
            {column: row[place] if place < len(row) else "" for column, place in places.items()},
        )
        for number, row in enumerate(rows[heading_at + 1 :], start=heading_at + 2)
        if any(row)
    ]


def _find_columns(cells: Sequence[str], name: str) -> dict[str, int]:
    """Return the position of each column by its heading."""
    heading = [name_key(cell) for cell in cells]
    wanted = [REPORT, *(criterion.label for criterion in Criterion), RATER]
    if missing := [f"«{column}»" for column in wanted if name_key(column) not in heading]:
        raise SheetError(
            f"{name}: нет столбцов: {', '.join(missing)}; не меняйте заголовки выгрузки."
        )
    if double := [column for column in wanted if heading.count(name_key(column)) > 1]:
        raise SheetError(f"{name}: столбец «{double[0]}» встречается дважды; оставьте один.")
    return {column: heading.index(name_key(column)) for column in wanted}


def _read_rows(path: Path) -> list[list[str]]:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise SheetError(f"{path}: такого файла нет.") from None
    except OSError as error:
        raise SheetError(f"{path}: файл не читается ({error.strerror}).") from None
    match path.suffix.lower():
        case ".xlsx":
            return _read_workbook(raw, path.name)
        case ".csv":
            return list(_read_csv(raw, path.name))
        case _:
            raise SheetError(
                f"{path.name}: нужен файл .xlsx или .csv; сохраните лист в одном из этих видов."
            )


def _read_workbook(raw: bytes, name: str) -> list[list[str]]:
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(raw)) as book:
            if GRADES_SHEET not in book.sheet_names:
                raise SheetError(
                    f"{name}: нет листа «{GRADES_SHEET}»; нужен файл, который записала команда"
                    " agreement export."
                )
            rows = book.get_sheet_by_name(GRADES_SHEET).to_python(skip_empty_area=False)
    except (CalamineError, OSError, ValueError):
        raise SheetError(
            f"{name}: не открывается как .xlsx; сохраните его в Excel или LibreOffice заново."
        ) from None
    return [[_as_text(cell) for cell in row] for row in rows]


def _as_text(cell: Any) -> str:
    """Return the displayed text of a cell: every number of a workbook is a float."""
    return (
        str(int(cell))
        if isinstance(cell, float) and cell.is_integer()
        else " ".join(str(cell).split())
    )


def _read_csv(raw: bytes, name: str) -> Iterator[list[str]]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1251", errors="replace")
    heading = text.lstrip().partition("\n")[0]
    delimiter = max(";,\t", key=heading.count)
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            yield [" ".join(cell.split()) for cell in row]
    except csv.Error:
        raise SheetError(
            f"{name}: не разбирается как .csv; сохраните лист заново (разделитель — точка с"
            " запятой)."
        ) from None
