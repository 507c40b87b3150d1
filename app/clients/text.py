"""Sanitize text of external systems for rows, logs and messages.

Text loses control characters and damage. Excerpts are short and without secrets.
"""

import json
import math
import re
import unicodedata
from typing import Any

# NUL and lone surrogates break Postgres and JSON; other control characters have no use in a chat.
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_UNWANTED_ESCAPE = re.compile(r"\\(?:[bfr]|u(?:00[0189]|007[fF]|[dD][89a-fA-F]))")
"""The JSON escape of an unwanted character, or of half a character, which may lack the other half.
"""
_DEEPEST = 100
_LONGEST_INTEGER = 20
_STRINGS_AND_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|$)|[\[\]{}]', re.DOTALL)
_JOINED = re.compile("[\u200d\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")


def read_json(text: str) -> Any:
    """Parse and sanitize JSON text.

    Values nested deeper than a hundred levels and numbers that no table can store become None. An
    unusable element thus does not discard the rest of its page.

    Raises:
        ValueError: the text is not JSON.
    """
    try:
        parsed = _decode(text)
    except RecursionError:
        parsed = _decode(_cut_depth(text))
    # Nearly no text has unwanted characters, and a visit of all values costs more than decoding.
    if _has_unwanted(text):
        return remove_unstorable(parsed)
    return parsed


def _has_unwanted(text: str) -> bool:
    """Return whether the JSON text may have unwanted characters, escaped or not."""
    return bool(
        (not text.isprintable() and _UNWANTED.search(text)) or _UNWANTED_ESCAPE.search(text)
    )


def _parse_integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else None


def _parse_float(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _discard_constant(_: str) -> None:
    """Return None for NaN and Infinity, which are no JSON."""


_decode = json.JSONDecoder(
    parse_int=_parse_integer, parse_float=_parse_float, parse_constant=_discard_constant
).decode


def _cut_depth(text: str) -> str:
    """Replace everything below the deepest level with ``null``."""
    kept, depth, start = list[str](), 0, 0
    for match in _STRINGS_AND_BRACKETS.finditer(text):
        if match[0] in "[{":
            depth += 1
            if depth == _DEEPEST:
                kept.append(text[start : match.start()])
        elif match[0] in "]}":
            if depth == _DEEPEST:
                kept.append("null")
                start = match.end()
            depth -= 1
    return "".join(kept) + (text[start:] if depth < _DEEPEST else "")


def shorten(text: str, limit: int) -> str:
    """Truncate a text between two visible characters.

    Accents, emoji and flags are not split.
    """
    if len(text) <= limit:
        return text
    end = limit
    while end and _joins_previous(text, end):
        end -= 1
    return text[: end or limit].rstrip()


def _joins_previous(text: str, place: int) -> bool:
    """Return whether the character at this index belongs to the previous one."""
    before, here = text[place - 1], text[place]
    if "\U0001f1e6" <= here <= "\U0001f1ff" and "\U0001f1e6" <= before <= "\U0001f1ff":
        return True
    return (
        before == "\u200d"
        or bool(_JOINED.match(here))
        or unicodedata.category(here).startswith("M")
    )


def remove_unstorable(value: Any) -> Any:
    """Sanitize all strings, keys included, of a parsed JSON value.

    Control characters except ``\\n`` and ``\\t`` and lone surrogates are removed.
    """
    if isinstance(value, str):
        # Fast path: true of nearly every string, at a tenth of the cost of the search.
        if value.isprintable():
            return value
        return _UNWANTED.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))
    if isinstance(value, list):
        return [remove_unstorable(element) for element in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None  # JSON has no such value; Python's parser reads 1e999 as infinity
    if isinstance(value, dict):
        return {
            remove_unstorable(key): remove_unstorable(element) for key, element in value.items()
        }
    return value


def build_excerpt(text: str, limit: int, *secrets: str) -> str:
    """Sanitize, shorten and redact text of an external system for display, on one line."""
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    line = " ".join(remove_unstorable(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
