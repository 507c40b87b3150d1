"""Texts of strangers made fit to be shown: no character that reorders, hides or breaks, and no more of them than there is room for."""

import unicodedata
from collections.abc import Iterable
from html import escape
from itertools import accumulate
from typing import TypeVar

from pydantic import BaseModel

from app.services.plural import number

_Entry = TypeVar("_Entry", bound=BaseModel)

NAME_LIMIT = 40
# In characters. Together they keep the HTML under 60 KB, whatever is in the texts; Gmail clips a mail at 102 KB.
_LIMITS = {"chat_title": 64, "client_name": 40, "quote": 160, "advice": 220, "criterion": 30, "reason": 160}
_BYTES = 2
"""A character of Russian in UTF-8; texts of heavier ones are cut sooner."""
_UNNAMED = {"chat_title": "Чат без объявления", "client_name": "Клиент"}
"""What stands for a name that Avito does not give, or of which nothing can be shown."""

_ZERO_WIDTH_JOINER = "\u200d"
"""The one format character that is kept: emoji are glued together with it."""


def clean(text: str) -> str:
    """One line without what could reorder, hide or break it: control and format characters, lone surrogates."""
    return " ".join(without_controls(text).split())


def shown_title(title: str | None) -> str:
    """A listing's title as people and programs get it."""
    return clean(title or "") or _UNNAMED["chat_title"]


def shown_name(name: str | None) -> str:
    """A buyer's name as people and programs get it."""
    return clean(name or "") or _UNNAMED["client_name"]


def without_controls(text: str) -> str:
    """The same, with its lines."""
    if text.replace("\n", " ").isprintable():  # nearly every text, and a hundred times faster
        return text
    return "".join(
        " " if unicodedata.category(char) == "Cc" and char != "\n" else char
        for char in text
        if char == _ZERO_WIDTH_JOINER or unicodedata.category(char) not in {"Cf", "Cs"}
    )


def short(text: str, limit: int) -> str:
    """The text cut to ``limit`` characters, or to fewer where they weigh more than ``_BYTES`` of HTML each: emoji, entities."""
    cleaned = clean(text)
    weights = accumulate(len(escape(char).encode()) for char in cleaned[:limit])
    fitting = sum(weight <= _BYTES * limit for weight in weights)
    return cleaned if len(cleaned) <= fitting else cleaned[: fitting - 1].rstrip() + "…"


def trimmed(entry: _Entry) -> _Entry:
    """The entry with its texts cleaned, cut, and named where nothing is left of a name."""
    texts = ((name, text) for name, text in entry if name in _LIMITS and text is not None)
    return entry.model_copy(update={name: short(text, _LIMITS[name]) or _UNNAMED.get(name, "") for name, text in texts})


def listed(texts: Iterable[str], *, most: int = 10, limit: int = NAME_LIMIT) -> list[str]:
    """The first texts, cut, and how many more there are."""
    every = tuple(texts)
    more = [f"и ещё {number(len(every) - most)}"] if len(every) > most else []
    return [short(text, limit) for text in every[:most]] + more
