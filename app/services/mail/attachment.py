"""The mail's attachment: an XLSX file with its reports, waiting buyers and ungraded chats."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from app.domain.outcomes import Outcome
from app.domain.waiting import WAITING_FOR_AT_MOST
from app.grading.web_addresses import defang_certain
from app.russian_text import number
from app.services.digests.figures import DigestFigures, UngradedChat, WaitingBuyer
from app.services.display_text import chat_url
from app.services.reports.xlsx_file import MAX_ROWS, Page, write_reports
from app.services.sheets.cells import Cell, Column

_CHAT = (
    (Column("account", 20), "Аккаунт Авито"),
    (Column("chat_id", 30), "Идентификатор чата на Авито"),
    (Column("chat_title", 36, wrapped=True), "Название объявления"),
    (Column("client_name", 18, wrapped=True), "Имя клиента"),
)
_URL = (Column("url", 70), "Чат на сайте Авито")
_WAITING = (
    *_CHAT,
    (
        Column("waiting_since", 28),
        (
            "С какого времени клиент ждёт ответа: когда он написал первое из сообщений, оставшихся"
            " без ответа; за временем стоит смещение от всемирного. Кто писал больше"
            f" {WAITING_FOR_AT_MOST.days} дней назад, ждущим не считается"
        ),
    ),
    (
        Column("waiting_hours", 17, centred=True),
        (
            "Сколько полных часов прошло с тех пор до конца периода письма: круглосуточно, не"
            " рабочее время"
        ),
    ),
    (
        Column("answered_by", 22),
        "Кто ответил вместо человека: автоответчик или ассистент Авито; человек ещё не ответил",
    ),
    _URL,
)
_UNGRADED = (
    *_CHAT,
    (
        Column("status", 14),
        (
            "Что с чатом: пропущен — оценивать нечего; ошибка — оценить не удалось; ждёт оценки —"
            " не дошла очередь или разговор ещё идёт"
        ),
    ),
    (Column("reason", 46, wrapped=True), "Почему он не оценён"),
    _URL,
)
_UNTRUSTED = ("chat_title", "client_name", "summary", "recommendations")
_STATUS = {
    Outcome.SKIPPED: "пропущен",
    Outcome.FAILED: "ошибка",
    Outcome.WAITING: "ждёт оценки",
}


class Attachment(NamedTuple):
    """A file attached to a mail."""

    content: bytes
    filename: str


async def write_attachment(
    chunks: AsyncIterator[Sequence[bytes]], figures: DigestFigures
) -> Attachment | None:
    """Return the file for a mail; None if it would be empty.

    ``chunks``: the reports of the mail, newest first, at most ``MAX_ROWS``.
    """
    buyers = figures.waiting_buyers
    if not figures.reports and not buyers and not figures.ungraded:
        return None
    day, end, zone = figures.day.isoformat(), figures.period_end, ZoneInfo(figures.timezone)
    more = figures.reports - MAX_ROWS
    content = await write_reports(
        chunks,
        await asyncio.to_thread(_make_pages, figures, zone),
        expected=figures.reports,
        change=_defang_body,
        rest=f"Ещё {number(more)}: GET /api/v1/reports?mail={day}" if more > 0 else None,
        created_at=end.astimezone(zone),
    )
    return Attachment(content, f"avito-chats-{day}.xlsx")


def _make_pages(figures: DigestFigures, zone: ZoneInfo) -> list[Page]:
    end = figures.period_end
    waiting_rows = [_make_buyer_row(buyer, end, zone) for buyer in figures.waiting_buyers]
    ungraded_rows = [_make_chat_row(chat) for chat in figures.ungraded]
    return [
        Page("Ждут ответа", _WAITING, _truncate_rows(waiting_rows)),
        Page("Без оценки", _UNGRADED, _truncate_rows(ungraded_rows)),
    ]


def _defang_body(body: dict[str, Any]) -> dict[str, Any]:
    """Defang the addresses in untrusted texts, because previews turn them into links.

    REST returns the same texts unchanged.
    """
    return body | {name: defang_certain(body[name]) for name in _UNTRUSTED}


def _truncate_rows(rows: Sequence[list[Cell]]) -> list[list[Cell]]:
    """Return at most ``MAX_ROWS`` rows, then a row with the number of omitted ones."""
    omitted = len(rows) - MAX_ROWS
    more: list[list[Cell]] = (
        [[f"Ещё {number(omitted)}", *[None] * (len(rows[0]) - 1)]] if omitted > 0 else []
    )
    return [*rows[:MAX_ROWS], *more]


def _make_buyer_row(buyer: WaitingBuyer, end: datetime, zone: ZoneInfo) -> list[Cell]:
    return [
        buyer.account,
        buyer.chat_id,
        defang_certain(buyer.chat_title),
        defang_certain(buyer.client_name),
        buyer.since.astimezone(zone),
        int((end - buyer.since).total_seconds() // 3600),
        buyer.answered_by.label if buyer.answered_by else None,
        chat_url(buyer.chat_id),
    ]


def _make_chat_row(chat: UngradedChat) -> list[Cell]:
    names = (defang_certain(chat.chat_title), defang_certain(chat.client_name))
    return [
        chat.account,
        chat.chat_id,
        *names,
        _STATUS[chat.status],
        chat.reason and defang_certain(chat.reason),
        chat_url(chat.chat_id),
    ]
