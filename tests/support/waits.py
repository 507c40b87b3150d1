"""Chats with the times of their messages, and their late answers."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.domain.messages import ChatMessage, Side
from app.domain.timeliness import LateAnswer, follow_waits
from app.domain.working_hours import ROUND_THE_CLOCK, WorkingHours

MOSCOW = ZoneInfo("Europe/Moscow")
SATURDAY = datetime(2026, 11, 21, 17, 0, tzinfo=MOSCOW)
HOUR, THREE_HOURS = 3600, 3 * 3600
QUESTION, ANSWER = "Ещё в наличии?", "Да, в наличии"
AUTOMATIC = "Здравствуйте! Мы получили ваше сообщение и скоро ответим."
PROMISE, DELETED = "Сейчас узнаю", "[сообщение удалено]"


def _find_type(text: str) -> str:
    return "deleted" if text == DELETED else "call" if text.startswith("[call") else "text"


def make_chat(*rows: tuple[int, str, str]) -> list[ChatMessage]:
    """Return messages with ids from 1: seconds after the start, side, text.

    "[…]" is no text, "[call missed]" is a call.
    """
    return [
        ChatMessage(
            number,
            Side(side),
            SATURDAY + timedelta(seconds=seconds),
            text,
            has_text=not text.startswith("["),
            type=_find_type(text),
            call_status=text.strip("[]").split()[1] if text.startswith("[call") else None,
        )
        for number, (seconds, side, text) in enumerate(rows, start=1)
    ]


def list_late(
    rows: Iterable[tuple[int, str, str]],
    hours: WorkingHours = ROUND_THE_CLOCK,
    *,
    is_whole: bool = True,
) -> list[LateAnswer]:
    """Return the late answers of a chat."""
    return list(follow_waits(make_chat(*rows), hours, MOSCOW, is_whole=is_whole).late)
