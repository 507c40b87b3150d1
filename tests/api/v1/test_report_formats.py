"""``GET /reports`` as CSV and XLSX: the same reports as in JSON, safe to open."""

import csv
import io
import json
import os
import re
import tempfile
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

from app.sandbox.deepseek_faults import edit_grading
from app.services.reports.xlsx_file import MAX_ROWS
from app.services.sheets.cells import Column
from app.services.sheets.spreadsheet import SpreadsheetFile
from tests.support.reports import (
    ALL,
    FIELDS,
    XLSX,
    add_two_reports,
    fetch_reports,
    read_csv,
    read_xlsx,
)
from tests.support.stage import BAD_TALK, Stage

NASTY = [
    *(
        '=HYPERLINK("http://x";"y")',
        "+7 916",
        "-1",
        "@SUM(A1)",
        "\tx",
        "\rx",
        " =1",
        "\u00a0\u200b=1",
    ),
    *("＝1", "＋1", "－1", "＠x", "'=1", "''=1"),
]
FINE = [
    "'цитата'",
    "a=b",
    "5 - 3",
    "«=»",
    "12 000 ₽; торг",
    'диван "Бергамо"',
    "первая\nвторая",
    "null",
    "007",
    "1-2",
    "да, нет",
]


async def copy_reports_with_texts(stage: Stage, texts: list[str]) -> None:
    """Copy a report for each text and put the text into all fields that people write."""
    await stage.copy_first_report(len(texts))
    for number, cell_text in enumerate(texts, 1001):
        fields = json.dumps(
            {
                "chat_title": cell_text,
                "client_name": cell_text,
                "summary": cell_text,
                "recommendations": cell_text,
            }
        )
        await stage.change(
            "UPDATE reports SET body = (body::jsonb || CAST(:fields AS jsonb))::json WHERE id"
            " = :id",
            fields=fields,
            id=number,
        )


def make_sheet_row(report: dict[str, Any]) -> list[Any]:
    """Return a report as a row of a sheet: numbers, texts and local time."""
    return [
        (
            datetime.fromisoformat(report[name]).replace(tzinfo=None)
            if name == "created_at"
            else report[name]
        )
        for name in [*FIELDS, "id"]
    ]


async def test_csv_equals_the_json(stage: Stage) -> None:
    await add_two_reports(stage)
    await copy_reports_with_texts(stage, NASTY + FINE)
    answer = await fetch_reports(stage, format="csv")
    assert answer.content.startswith("\ufeffchat_id;created_at;".encode())
    assert b"\r\n" in answer.content
    found = read_csv(answer)
    assert found == await stage.reports()
    assert list(found[0]) == [*FIELDS, "id"]


async def test_names_with_bidi_controls_are_cleaned_in_every_form(stage: Stage) -> None:
    """Also in the summary, the mail and the chat. A name of control characters counts as none."""

    def replace_summary(answer: dict[str, Any]) -> None:
        answer["summary"] = "[ИМЯ_1] спросила и осталась без ответа."

    stage.add_talk(
        ("client", f"Это Анна. {BAD_TALK[0][1]}"),
        *BAD_TALK[1:],
        title="Ди\u202eван\u2066",
        client="\u202eАнна\u202c",
    )
    stage.sandbox.deepseek.switches.fail(edit_grading(replace_summary), path="chat/completions")
    await stage.sync()
    await stage.analyze()
    stage.add_talk(*BAD_TALK, title="\u202e\u2069", client="\u200b")
    await stage.sync()
    await stage.analyze()
    unnamed, named = await stage.reports()
    assert (named["chat_title"], named["client_name"], named["summary"]) == (
        "Диван",
        "Анна",
        "Анна спросила и осталась без ответа.",
    )
    assert (unnamed["chat_title"], unnamed["client_name"]) == ("Чат без объявления", "Клиент")
    assert read_csv(await fetch_reports(stage, format="csv")) == [unnamed, named]
    assert read_xlsx((await fetch_reports(stage, format="xlsx")).content)[1:] == [
        make_sheet_row(unnamed),
        make_sheet_row(named),
    ]
    await stage.mail()
    for report in (named, unnamed):
        chat = (await stage.rest.get(f"/api/v1/chats/{report['chat_id']}")).json()
        assert (chat["title"], chat["client_name"]) == (report["chat_title"], report["client_name"])
        assert f"\n{report['chat_title']}: " in stage.last_mail()


async def test_csv_has_no_active_cell_and_keeps_harmless_texts(stage: Stage) -> None:
    await add_two_reports(stage)
    await copy_reports_with_texts(stage, NASTY + FINE)
    answer = await fetch_reports(stage, format="csv")
    harmless = (await stage.reports())[0]
    cells = {
        line["id"]: line
        for line in csv.DictReader(
            io.StringIO(answer.content.decode("utf-8-sig"), newline=""), delimiter=";"
        )
    }
    for number, cell_text in enumerate(NASTY + FINE, 1001):
        for name in ("chat_title", "client_name", "summary", "recommendations"):
            assert cells[str(number)][name] == (
                "'" + cell_text if cell_text in NASTY else cell_text
            )
    for name in ("chat_id", "created_at", "total_messages", "tonality_grade"):
        assert cells[str(harmless["id"])][name] == str(harmless[name])


async def test_sheet_equals_the_json_with_typed_cells(stage: Stage) -> None:
    """Also with so many rows that they are written to disk."""
    await add_two_reports(stage)
    await copy_reports_with_texts(
        stage, [cell_text for cell_text in NASTY + FINE if "\r" not in cell_text]
    )
    for copies in (0, 2_100):
        if copies:
            await stage.change("DELETE FROM reports WHERE id > 1000")
            await stage.copy_first_report(copies)
        names, *rows = read_xlsx((await fetch_reports(stage, format="xlsx")).content)
        assert names == [*FIELDS, "id"]
        assert rows == [make_sheet_row(report) for report in await stage.reports()]
        assert len(rows) > copies


async def test_sheet_has_no_active_cell_even_after_editing(stage: Stage) -> None:
    await add_two_reports(stage)
    await copy_reports_with_texts(stage, [*NASTY, "https://avito.ru", "a\x01b\x0bc\ufffed"])
    content = (await fetch_reports(stage, format="xlsx")).content
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        page, styles = (
            package.read(f"xl/{name}.xml").decode() for name in ("worksheets/sheet1", "styles")
        )
    assert "<f>" not in page
    assert "<hyperlink" not in page
    assert 'quotePrefix="1"' in styles
    titles = {row[-1]: row[2] for row in read_xlsx(content)}
    assert titles[1000 + len(NASTY) + 2] == "abcd", "XML cannot contain the control characters"


async def test_sheet_describes_its_columns_and_time_zone(
    stage: Stage,
) -> None:
    await add_two_reports(stage)
    content = (await fetch_reports(stage, format="xlsx")).content
    meanings = {column: meaning for _, column, meaning in read_xlsx(content, page=1)[1:]}
    assert list(meanings) == [*FIELDS, "id"]
    assert all(re.search("[а-я]", meaning) for meaning in meanings.values())
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        page, styles = (
            package.read(f"xl/{name}.xml").decode() for name in ("worksheets/sheet1", "styles")
        )
    assert "dd.mm.yyyy hh:mm:ss &quot;+03:00&quot;" in styles
    assert 'state="frozen"' in page
    assert '<autoFilter ref="A1:P3"' in page


async def test_an_empty_period_is_an_empty_table(stage: Stage) -> None:
    assert read_csv(await fetch_reports(stage, format="csv")) == []
    assert read_xlsx((await fetch_reports(stage, format="xlsx")).content) == [[*FIELDS, "id"]]
    answer = await stage.rest.get("/api/v1/reports", params={"mail": "2026-11-22", "format": "csv"})
    assert (
        answer.headers["content-disposition"]
        == 'attachment; filename="reports_mail_2026-11-22.csv"'
    )


async def test_too_many_rows_for_a_sheet_are_a_400_that_names_csv(stage: Stage) -> None:
    await add_two_reports(stage)
    await stage.copy_first_report(MAX_ROWS)
    for params, accept in (({"format": "xlsx"}, "*/*"), ({}, XLSX)):
        answer = await stage.rest.get(
            "/api/v1/reports", params={**ALL, **params}, headers={"Accept": accept}
        )
        assert answer.status_code == 400
        assert [error["field"] for error in answer.json()["errors"]] == ["format"]
        assert "format=csv" in answer.json()["message"]
    assert len(read_xlsx((await fetch_reports(stage, format="xlsx", limit=10)).content)) == 11


def list_temporary_folders() -> list[Path]:
    return list(Path(tempfile.gettempdir()).glob(f"sheet-{os.getpid()}-*"))


async def test_no_temporary_file_is_left(stage: Stage) -> None:
    await add_two_reports(stage)
    await stage.copy_first_report(2_100)
    await fetch_reports(stage, format="xlsx")
    assert list_temporary_folders() == []
    await stage.change("UPDATE reports SET body = '{}' WHERE id = 3000")
    answer = await stage.rest.get("/api/v1/reports", params={**ALL, "format": "xlsx"})
    assert (answer.status_code, answer.json()["status"]) == (500, "error")
    assert list_temporary_folders() == []
    with SpreadsheetFile(flat=True) as book:
        book.add_page("Страница", [Column("Столбец", 10)])
        assert list_temporary_folders() != [], "the folder that the test checks is the right one"
