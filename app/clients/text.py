"""What may pass from a far end into our rows, logs and messages: text without damage, and short
excerpts without secrets.
"""

import json
import math
import re
import unicodedata
from typing import Any

# NUL and lone surrogates break Postgres and JSON; the other control characters are of no use to
# anybody who reads a chat.
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_DEEPEST = 100
_LONGEST_INTEGER = 20
_STRINGS_AND_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|$)|[\[\]{}]', re.DOTALL)
_JOINED = re.compile("[\u200d\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")


def read_json(text: str) -> Any:
    """The JSON in a far end's text, cleaned. What is nested deeper than a hundred levels, and
    numbers that no table holds, are None.

    So one element that nobody can keep costs only itself and not the page that it stands in.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        return keep_storable(json.loads(text, parse_int=_integer))
    except RecursionError:
        return keep_storable(json.loads(_without_depths(text), parse_int=_integer))


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else None


def _without_depths(text: str) -> str:
    """The text with ``null`` in place of whatever stands below the deepest level."""
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
    """The beginning of a text, cut between two characters as people see them: no accent, emoji or
    flag is cut in two.
    """
    if len(text) <= limit:
        return text
    end = limit
    while end and _continues(text, end):
        end -= 1
    return text[: end or limit].rstrip()


def _continues(text: str, place: int) -> bool:
    """Whether the character at this place belongs to the one before it."""
    before, here = text[place - 1], text[place]
    if "\U0001f1e6" <= here <= "\U0001f1ff" and "\U0001f1e6" <= before <= "\U0001f1ff":
        return True
    return (
        before == "\u200d"
        or bool(_JOINED.match(here))
        or unicodedata.category(here).startswith("M")
    )


def keep_storable(value: Any) -> Any:
    """A parsed JSON value whose strings, keys included, hold no control characters but ``\\n`` and
    ``\\t`` and no lone surrogates.
    """
    if isinstance(value, str):
        if (
            value.isprintable()
        ):  # nearly every string is, and finding out costs a tenth of the search
            return value
        return _UNWANTED.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))
    if isinstance(value, list):
        return [keep_storable(element) for element in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None  # JSON has no word for it, Python's reader makes it of 1e999
    if isinstance(value, dict):
        return {keep_storable(key): keep_storable(element) for key, element in value.items()}
    return value


def excerpt(text: str, limit: int, *secrets: str) -> str:
    """The beginning of a far end's own words, on one line, fit to be shown to a person."""
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    line = " ".join(keep_storable(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
