"""Label sheets: the contents of an exported one, and one that is filled in and saved."""

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter
from python_calamine import CalamineWorkbook

from app.domain.criteria import Criterion

LABELS = [criterion.label for criterion in Criterion]
HEADING = ["№", "Отчёт", "Сообщений", "Переписка", *LABELS, "Комментарий", "Эксперт"]
ALL_HIGH = ["Высокая", "Высокая", "Высокая", "Высокая", "Нет возражений", "Высокая"]


def read_rows(source: Path | bytes, sheet: str) -> list[list[Any]]:
    """Return the rows of a sheet."""
    raw = source.read_bytes() if isinstance(source, Path) else source
    return (
        CalamineWorkbook.from_filelike(io.BytesIO(raw))
        .get_sheet_by_name(sheet)
        .to_python(skip_empty_area=False)
    )


def all_text(raw: bytes) -> dict[str, str]:
    """Return every part of a workbook as text, hidden parts included."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def filled_row(
    report_id: object, grades: Sequence[object], rater: str = "", number: int = 1
) -> list[object]:
    """Return a row of the sheet of grades."""
    return [number, report_id, 4, "Читать", *grades, "", rater]


def save_xlsx(path: Path, rows: Sequence[Sequence[object]], *, sheet: str = "Оценки") -> Path:
    """Save a workbook with this sheet only."""
    book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False})
    page = book.add_worksheet(sheet)
    for number, row in enumerate(rows):
        page.write_row(number, 0, row)
    book.close()
    return path


def save_csv(
    path: Path, rows: Sequence[Sequence[object]], *, encoding: str, delimiter: str = ";"
) -> Path:
    """Save a sheet as Excel does."""
    with path.open("w", encoding=encoding, newline="") as target:
        csv.writer(target, delimiter=delimiter).writerows(rows)
    return path


def fill_in(
    exported: Path | bytes, rater: str, grades: Mapping[int, Sequence[str]]
) -> list[list[Any]]:
    """Return the exported rows with these grades by report.

    Only the first row has the rater's name.
    """
    heading, *rows = read_rows(exported, "Оценки")
    done = [
        [*map(int, row[:3]), row[3], *grades.get(int(row[1]), [""] * 6), "", ""] for row in rows
    ]
    done[0][-1] = rater
    return [heading, *done]
