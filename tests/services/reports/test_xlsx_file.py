"""The XLSX file: reports, the pages that a mail adds, and the meaning of columns."""

import io
import json
import re
import zipfile
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from python_calamine import CalamineWorkbook

from app.services.reports import xlsx_file
from app.services.reports.xlsx_file import Page
from app.services.sheets.cells import Column
from app.services.sheets.spreadsheet import SpreadsheetFile

GRADES = (
    "tonality",
    "professionalism",
    "clarity",
    "problem_solving",
    "objection_handling",
    "closure",
)
BODY: dict[str, Any] = {
    "chat_id": "u2i-1~2",
    "created_at": "2026-11-22T20:03:11.402+03:00",
    "chat_title": "Диван",
    "client_name": "Анна",
    "total_messages": 8,
    "company_messages": 5,
    "client_messages": 3,
    **{f"{name}_grade": "Высокая" for name in GRADES},
    "summary": "Всё хорошо.",
    "recommendations": "Первая.\nВторая.",
    "id": 1,
}
WAITING = Page(
    "Ждут ответа",
    [
        (Column("Чат", 40, wrapped=True), "Что это"),
        (Column("Клиент", 20), "Кто"),
        (Column("Ждёт с", 26), "С какого времени"),
    ],
    [
        ["Шкаф", "=Анна", datetime(2026, 11, 22, 17, 0, tzinfo=UTC)],
        ["", None, datetime(2026, 11, 22, 18, 0, tzinfo=UTC)],
    ],
)


async def write_reports(bodies: Sequence[dict[str, Any]], more: Sequence[Page] = ()) -> bytes:
    async def read() -> AsyncIterator[list[bytes]]:
        yield [json.dumps(body).encode() for body in bodies]

    return await xlsx_file.write_reports(read(), more, expected=len(bodies))


def pages(content: bytes) -> dict[str, list[list[Any]]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


@pytest.mark.parametrize("rows", [0, 2, 2_001])
async def test_pages_are_in_order_for_any_number_of_rows(rows: int) -> None:
    found = pages(
        await write_reports([{**BODY, "id": number} for number in range(rows)], [WAITING])
    )
    assert list(found) == ["Отчёты", "Ждут ответа", "Столбцы"]
    names, *reports = found["Отчёты"]
    assert names == list(BODY)
    assert [row[-1] for row in reports] == list(range(rows))
    moment = datetime(2026, 11, 22, 20, 3, 11, 402_000)  # noqa: DTZ001 - a sheet's moments have no zone
    assert [row[:4] for row in reports[:1]] == [["u2i-1~2", moment, "Диван", "Анна"]][:rows]
    assert [row[:2] for row in found["Ждут ответа"]] == [
        ["Чат", "Клиент"],
        ["Шкаф", "=Анна"],
        ["", ""],
    ]


async def test_only_big_files_have_inline_strings() -> None:
    """Apple's Numbers does not show inline strings. It must show a usual mail's file."""
    for rows, inline in ((2_000, False), (2_001, True)):
        with zipfile.ZipFile(io.BytesIO(await write_reports([BODY] * rows))) as package:
            assert ("inlineStr" in package.read("xl/worksheets/sheet1.xml").decode()) is inline


async def test_text_too_long_for_a_cell_is_truncated_and_marked() -> None:
    for text in ("ы" * 40_000, "😀" * 20_000):
        summary = pages(await write_reports([{**BODY, "summary": text}]))["Отчёты"][1][13]
        assert summary == text[: len(summary) - 1] + "…"
        assert len(summary.encode("utf-16-le")) // 2 in (32_766, 32_767)
    whole = "ы" * 32_767
    assert pages(await write_reports([{**BODY, "summary": whole}]))["Отчёты"][1][13] == whole


async def test_rows_are_as_high_as_their_longest_text() -> None:
    """Some programs do not adjust the height of rows."""
    bodies = [
        {**BODY, "recommendations": words}
        for words in ("Одна.", "Одна.\nДве.\nТри.", "слово " * 100, "слово\n" * 100)
    ]
    with zipfile.ZipFile(io.BytesIO(await write_reports(bodies))) as package:
        page = package.read("xl/worksheets/sheet1.xml").decode()
    heights = [re.search(r' ht="(\d+)"', row) for row in re.findall("<row [^>]+>", page)[1:]]
    assert [found and found[1] for found in heights] == [
        None,
        "45",
        "165",
        "405",
    ], "without a height it is a line"


TEXTS = (
    "Диван",
    "<r><t>Диван</t></r>",
    "<r>&</b></r>",
    "_x000D_ и _x",
    " с краёв\n",
    'A & B <b>"в кавычках"</b>\nдве строки',
    "=1+1",
    "\u202eнаоборот\x07",
)
COLUMNS = (Column("Чат", 20, wrapped=True), Column("Число", 9, centred=True), Column("Когда", 26))


def write_texts(*, flat: bool) -> bytes:
    moment = datetime(2026, 11, 22, 20, 3, 11, 402_000, ZoneInfo("Europe/Moscow"))
    with SpreadsheetFile(flat=flat) as book:
        book.add_page("Лист", COLUMNS)
        book.add_rows([text, 2.5, moment] for text in TEXTS)
        book.add_rows([["", None, moment.replace(tzinfo=None)], [None, 7, None]])
        return book.finish()


@pytest.mark.parametrize("flat", [False, True])
def test_texts_are_not_interpreted(flat: bool) -> None:
    texts = [row[0].rstrip(" ") for row in pages(write_texts(flat=flat))["Лист"][1:]]
    assert texts == [*TEXTS[:-1], "наоборот", "", ""]


def test_both_kinds_of_file_have_the_same_cells_and_formats() -> None:
    """The rows of a flat file bypass the library's checks and its encoding."""
    rows = read_cells(write_texts(flat=True))
    assert len(rows) == 1 + len(TEXTS) + 2
    assert rows == read_cells(write_texts(flat=False))


def read_cells(content: bytes) -> list[Any]:
    """Return the rows: their attributes, and the address, format and number of each cell."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        sheet, styles = (
            ElementTree.fromstring(package.read(f"xl/{name}.xml"))  # noqa: S314 - our own file
            for name in ("worksheets/sheet1", "styles")
        )
    numbers = {
        form.get("numFmtId"): form.get("formatCode") for form in styles.iterfind(".//{*}numFmt")
    }
    formats = [
        {**form.attrib, "numFmtId": numbers.get(form.get("numFmtId"))}
        for form in styles.iterfind("{*}cellXfs/*")
    ]
    return [
        [
            (row.get("r"), row.get("ht"), row.get("customHeight")),
            *(
                (
                    cell.get("r"),
                    formats[int(cell.get("s", 0))],
                    "text" if cell.get("t") else cell.findtext("{*}v"),
                )
                for cell in row
            ),
        ]
        for row in sheet.iterfind(".//{*}row")
    ]
