"""Reports as an XLSX file: one row for each report, and a page that explains the columns."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from app.domain.criteria import Criterion
from app.domain.grades import Grade
from app.services.sheets.cells import Cell, Column
from app.services.sheets.spreadsheet import SpreadsheetFile

T = TypeVar("T")

MAX_ROWS = 20_000
"""The largest number of rows in one file of REST. Excel accepts a million but becomes slow."""
_FLAT_FROM = 2_000
"""With fewer rows the file is built in memory, at most 20 MB: some programs read no flat file."""

_REPORTS = "Отчёты"
_GRADE_COLOURS = ((Grade.HIGH, "#DDF1E0"), (Grade.MEDIUM, "#FFF1CC"), (Grade.LOW, "#F9D9D6"))


def _make_number_column(name: str) -> Column:
    return Column(name, len(name) + 3, centred=True)  # 3: the arrow of the filter


def _make_grade_column(criterion: Criterion) -> Column:
    name = criterion.column
    return Column(name, len(name) + 3, centred=True, colours=_GRADE_COLOURS)


_COLUMNS: tuple[tuple[Column, str], ...] = (
    (Column("chat_id", 30), "Идентификатор чата на Авито"),
    (Column("created_at", 27), "Когда создан отчёт; за временем стоит смещение от всемирного"),
    (Column("chat_title", 28, wrapped=True), "Название объявления"),
    (Column("client_name", 16, wrapped=True), "Имя клиента"),
    (_make_number_column("total_messages"), "Всего сообщений в чате, без системных"),
    (_make_number_column("company_messages"), "Из них написала компания"),
    (_make_number_column("client_messages"), "Из них написал клиент"),
    (_make_grade_column(Criterion.TONALITY), "Тональность"),
    (_make_grade_column(Criterion.PROFESSIONALISM), "Профессионализм"),
    (_make_grade_column(Criterion.CLARITY), "Ясность"),
    (_make_grade_column(Criterion.PROBLEM_SOLVING), "Решение проблем"),
    (
        _make_grade_column(Criterion.OBJECTION_HANDLING),
        f"Обработка возражений; «{Grade.NONE}» не снижает балл",
    ),
    (_make_grade_column(Criterion.CLOSURE), "Завершение"),
    (Column("summary", 60, wrapped=True), "Краткое резюме"),
    (Column("recommendations", 60, wrapped=True), "Рекомендации, по одной в строке"),
    (
        Column("id", 9, centred=True),
        "Номер отчёта в службе: GET /api/v1/reports/{id} покажет всё, что за ним стоит",
    ),
)
REPORT_FIELDS = tuple(column.heading for column, _ in _COLUMNS)
"""The names of a report's fields, in the order of its JSON."""


@dataclass(frozen=True)
class Page:
    """An additional page. Each column has a description in Russian."""

    name: str
    columns: Sequence[tuple[Column, str]]
    rows: Sequence[Sequence[Cell]]


def _keep(body: dict[str, Any]) -> dict[str, Any]:
    return body


async def write_reports(
    chunks: AsyncIterator[Sequence[bytes]],
    more: Sequence[Page] = (),
    *,
    expected: int,
    change: Callable[[dict[str, Any]], dict[str, Any]] = _keep,
    rest: str | None = None,
    created_at: datetime | None = None,
) -> bytes:
    """Return a file with the reports of all chunks and additional pages, written in a thread.

    - ``expected``: the approximate number of reports.
    - ``change``: what to write instead of a report.
    - ``rest``: a sentence below the reports if there are more.
    - ``created_at``: with it, the same rows give the same bytes.
    """
    with SpreadsheetFile(flat=expected > _FLAT_FROM, created_at=created_at) as book:
        await _run_in_thread(_add_reports_page, book)
        async for chunk in chunks:
            await _run_in_thread(_add_chunk, book, chunk, change)
        return await _run_in_thread(_finish, book, more, rest)


_WORKER = ThreadPoolExecutor(1, "sheet")
"""One thread for all files, so that only one thread competes with the event loop."""


async def _run_in_thread(work: Callable[..., T], *arguments: object) -> T:
    return await asyncio.get_running_loop().run_in_executor(_WORKER, work, *arguments)


def _add_reports_page(book: SpreadsheetFile) -> None:
    book.add_page(_REPORTS, [column for column, _ in _COLUMNS])


def _add_chunk(
    book: SpreadsheetFile,
    chunk: Iterable[bytes],
    change: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    book.add_rows(_make_row(change(json.loads(body))) for body in chunk)


def _make_row(body: Mapping[str, Any]) -> list[Cell]:
    return [
        datetime.fromisoformat(body[name]) if name == "created_at" else body[name]
        for name in REPORT_FIELDS
    ]


def _finish(book: SpreadsheetFile, more: Sequence[Page], rest: str | None) -> bytes:
    if rest is not None:
        book.add_rows([[rest, *[None] * (len(REPORT_FIELDS) - 1)]])
    for page in more:
        book.add_page(page.name, [column for column, _ in page.columns])
        book.add_rows(page.rows)
    book.add_page(
        "Столбцы",
        [Column("Лист", 16), Column("Столбец", 26), Column("Что в нём", 80, wrapped=True)],
    )
    for name, columns in ((_REPORTS, _COLUMNS), *((page.name, page.columns) for page in more)):
        book.add_rows((name, column.heading, meaning) for column, meaning in columns)
    return book.finish()
