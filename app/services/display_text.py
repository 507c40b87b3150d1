"""Sanitize, defang and truncate untrusted text for display."""

from collections.abc import Iterable
from html import escape
from itertools import accumulate
from typing import TypeVar
from urllib.parse import quote

from pydantic import BaseModel

from app.domain.visible_text import keep_visible
from app.grading.web_addresses import defang
from app.russian_text import number

_Entry = TypeVar("_Entry", bound=BaseModel)

NAME_LIMIT = 40
# In characters. Together they keep the HTML under 60 KB, whatever is in the texts; Gmail clips a
# mail at 102 KB.
_LIMITS = {
    "chat_title": 64,
    "client_name": 40,
    "quote": 160,
    "advice": 220,
    "criterion": 30,
    "reason": 160,
}
_BYTES = 2
"""A character of Russian in UTF-8; texts of heavier ones are cut sooner."""
_UNNAMED = {"chat_title": "Чат без объявления", "client_name": "Клиент"}
"""What stands for a name that Avito does not give, or of which nothing can be shown."""


def to_one_line(text: str) -> str:
    """Return the visible text on one line: no control, format, filler or surrogate character."""
    return " ".join(keep_visible(text).split())


def display_title(title: str | None) -> str:
    """A listing's title as people and programs get it."""
    return to_one_line(title or "") or _UNNAMED["chat_title"]


def display_name(name: str | None) -> str:
    """A buyer's name as people and programs get it."""
    return to_one_line(name or "") or _UNNAMED["client_name"]


def chat_url(chat_id: str) -> str:
    """Return the address of a chat in Avito's messenger."""
    return f"https://www.avito.ru/profile/messenger/channel/{quote(chat_id, safe='')}"


def shorten_for_mail(text: str, limit: int) -> str:
    """Return the text for a mail: cleaned, with no address that becomes a link, cut to ``limit``
    characters.
    """
    return _cut(defang(to_one_line(text)[: limit + 1]), limit)


def _cut(text: str, limit: int) -> str:
    """Cut to ``limit`` characters, or to fewer where they weigh more than ``_BYTES`` of HTML each:
    emoji, entities.
    """
    weights = accumulate(len(escape(char).encode()) for char in text[:limit])
    fitting = sum(weight <= _BYTES * limit for weight in weights)
    return text if len(text) <= fitting else text[: fitting - 1].rstrip() + "…"


def sanitize_entry(entry: _Entry) -> _Entry:
    """The entry with its texts cleaned, cut, and named where nothing is left of a name."""
    texts = ((name, text) for name, text in entry if name in _LIMITS and text is not None)
    return entry.model_copy(
        update={
            name: shorten_for_mail(text, _LIMITS[name]) or _UNNAMED.get(name, "")
            for name, text in texts
        }
    )


def list_shortened(
    texts: Iterable[str], *, most: int = 10, limit: int = NAME_LIMIT, trusted: bool = False
) -> list[str]:
    """Return the first texts, cut, and how many more there are; addresses in ``trusted`` texts stay
    as they are.
    """
    every = tuple(texts)
    more = [f"и ещё {number(len(every) - most)}"] if len(every) > most else []
    return [
        _cut(to_one_line(text), limit) if trusted else shorten_for_mail(text, limit)
        for text in every[:most]
    ] + more
