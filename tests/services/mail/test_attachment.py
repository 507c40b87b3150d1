"""Limits of the attachment."""

import json
import zipfile
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

from python_calamine import CalamineWorkbook

from app.services.digests.figures import DigestFigures, UngradedChat, WaitingBuyer
from app.services.mail import attachment
from app.services.mail.attachment import Attachment
from app.services.reports.xlsx_file import MAX_ROWS, REPORT_FIELDS
from tests.support.mail_pages import RICH

BODY = json.dumps(
    dict.fromkeys(REPORT_FIELDS, "текст")
    | {"created_at": "2026-11-22T20:03:11.402+03:00", "total_messages": 8, "id": 35}
)
SINCE = RICH.period_end - timedelta(hours=30)
BUYER = WaitingBuyer(
    account="Лавка",
    chat_id="u2i-1",
    chat_title="Чат без объявления",
    client_name="Клиент",
    since=SINCE,
)
FULL = MAX_ROWS * (BUYER,)


async def write_attachment(bodies: list[str], figures: DigestFigures) -> Attachment | None:
    async def read() -> AsyncIterator[list[bytes]]:
        yield [body.encode() for body in bodies]

    return await attachment.write_attachment(read(), figures)


def rows_of(content: bytes) -> dict[str, list[list[Any]]]:
    book = CalamineWorkbook.from_filelike(BytesIO(content))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


async def test_what_does_not_fit_is_counted_and_the_way_to_it_is_shown() -> None:
    sheet = await write_attachment(
        [BODY] * 2,
        RICH.model_copy(update={"reports": 30_002, "waiting_buyers": (*FULL, *[BUYER] * 6)}),
    )
    assert sheet is not None
    assert sheet.filename == "avito-chats-2026-11-22.xlsx"
    pages = rows_of(sheet.content)
    assert len(pages["Отчёты"]) == 4
    assert pages["Отчёты"][3][0] == "Ещё 10\u00a0002: GET /api/v1/reports?mail=2026-11-22"
    assert pages["Ждут ответа"][1][2:6] == [
        "Чат без объявления",
        "Клиент",
        datetime.fromisoformat("2026-11-21T14:00"),
        30.0,
    ]
    assert len(pages["Ждут ответа"]) == 1 + MAX_ROWS + 1
    assert pages["Ждут ответа"][-1][0] == "Ещё 6"


async def test_the_same_rows_are_the_same_bytes_and_hold_no_formula_and_no_link() -> None:
    evil = json.dumps(
        dict.fromkeys(REPORT_FIELDS, "=1+1")
        | {"created_at": "2026-11-22T20:03:11.402+03:00", "chat_title": "http://evil"}
    )
    one, other = await write_attachment([evil], RICH), await write_attachment([evil], RICH)
    assert one is not None
    assert one == other
    with zipfile.ZipFile(BytesIO(one.content)) as archive:
        xml = "".join(
            archive.read(name).decode()
            for name in archive.namelist()
            if "worksheets" in name or "sharedStrings" in name
        )
    assert "=1+1" in xml
    assert "<f>" not in xml
    assert "hyperlink" not in xml.lower()


async def test_every_column_of_every_page_is_explained() -> None:
    sheet = await write_attachment([BODY], RICH)
    assert sheet is not None
    pages = rows_of(sheet.content)
    heading, *explained = pages.pop("Столбцы")
    assert heading == ["Лист", "Столбец", "Что в нём"]
    assert [row[:2] for row in explained] == [
        [name, column] for name, rows in pages.items() for column in rows[0]
    ]
    assert len(pages) == 3
    meanings = {column: meaning for _, column, meaning in explained}
    assert all(meanings.values())
    assert "круглосуточно" in meanings["waiting_hours"]


async def test_an_empty_day_has_no_sheet() -> None:
    assert (
        await write_attachment([], RICH.model_copy(update={"reports": 0, "waiting_buyers": ()}))
        is None
    )


async def test_no_cell_holds_an_address_of_a_stranger() -> None:
    """Programs that preview attachments make links of such texts. A number stays as it is."""
    texts = {
        "chat_title": "evil.space/pay",
        "client_name": "1.2.3.4",
        "summary": "https://evil.click",
        "recommendations": "8 916 123-45-67",
    }
    buyer = BUYER.model_copy(update={"chat_title": "evil.zip", "client_name": "avito-bonus.ru"})
    chat = UngradedChat(
        account="Лавка",
        chat_id="u2i-2",
        chat_title="t.me",
        client_name="a@evil.pro",
        status="failed",
        reason="см. evil.icu",
    )
    figures = RICH.model_copy(update={"waiting_buyers": (buyer,), "ungraded": (chat,)})
    sheet = await write_attachment([json.dumps(json.loads(BODY) | texts)], figures)
    assert sheet is not None
    cells = [
        cell
        for rows in rows_of(sheet.content).values()
        for row in rows
        for cell in row
        if isinstance(cell, str)
    ]
    assert {
        "evil.\u200aspace/pay",
        "1.\u200a2.\u200a3.\u200a4",
        "https:\u200a//evil.\u200aclick",
        "8 916 123-45-67",
    } < set(cells)
    assert {
        "evil.\u200azip",
        "avito-bonus.\u200aru",
        "t.\u200ame",
        "a@\u200aevil.\u200apro",
        "см. evil.\u200aicu",
    } < set(cells)
