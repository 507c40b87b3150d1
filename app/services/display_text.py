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
# In characters. They limit the HTML to 60 KB for any texts. Gmail clips a mail at 102 KB.
_LIMITS = {
    "account": NAME_LIMIT,
    "chat_title": 64,
    "client_name": 40,
    "quote": 160,
    "advice": 220,
    "criterion": 30,
    "reason": 160,
}
_BYTES = 2
"""Size of a Russian character in UTF-8. Texts with larger characters are truncated sooner."""
_UNNAMED = {"chat_title": "Чат без объявления", "client_name": "Клиент"}
"""Placeholders for names that Avito does not return or that have no visible characters."""


def to_one_line(text: str) -> str:
    """Return the visible text on one line: no control, format, filler or surrogate character."""
    return " ".join(keep_visible(text).split())


def display_title(title: str | None) -> str:
    """Return a listing's title for people and programs."""
    return to_one_line(title or "") or _UNNAMED["chat_title"]


def display_name(name: str | None) -> str:
    """Return a buyer's name for people and programs."""
    return to_one_line(name or "") or _UNNAMED["client_name"]


def chat_url(chat_id: str) -> str:
    """Return the address of a chat in Avito's messenger."""
    return f"https://www.avito.ru/profile/messenger/channel/{quote(chat_id, safe='')}"


def shorten_for_mail(text: str, limit: int) -> str:
    """Return the text for a mail: sanitized, defanged and truncated to ``limit`` characters."""
    return _truncate(defang(to_one_line(text)[: limit + 1]), limit)


def _truncate(text: str, limit: int) -> str:
    """Truncate to ``limit`` characters and to ``_BYTES`` bytes of HTML for each of them.

    Emoji and entities take more bytes.
    """
    sizes = accumulate(len(escape(char).encode()) for char in text[:limit])
    fitting = sum(size <= _BYTES * limit for size in sizes)
    return text if len(text) <= fitting else text[: fitting - 1].rstrip() + "…"


def sanitize_entry(entry: _Entry) -> _Entry:
    """Return the entry with its texts shortened and empty names replaced by placeholders."""
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
    """Return the first texts, truncated, and the number of omitted ones.

    Addresses in ``trusted`` texts are not defanged.
    """
    all_texts = tuple(texts)
    more = [f"и ещё {number(len(all_texts) - most)}"] if len(all_texts) > most else []
    return [
        _truncate(to_one_line(text), limit) if trusted else shorten_for_mail(text, limit)
        for text in all_texts[:most]
    ] + more
