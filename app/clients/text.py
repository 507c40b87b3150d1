"""What may pass from a far end into our rows, logs and messages: text without damage, and short excerpts without secrets."""

import math
import re
from typing import Any

# NUL and lone surrogates break Postgres and JSON; the other control characters are of no use to anybody who reads a chat.
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def clean(value: Any) -> Any:
    """A parsed JSON value whose strings, keys included, hold no control characters but ``\\n`` and ``\\t`` and no lone surrogates."""
    if isinstance(value, str):
        if value.isprintable():  # nearly every string is, and finding out costs a tenth of the search
            return value
        return _UNWANTED.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))
    if isinstance(value, list):
        return [clean(element) for element in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None  # JSON has no word for it, Python's reader makes it of 1e999
    if isinstance(value, dict):
        return {clean(key): clean(element) for key, element in value.items()}
    return value


def excerpt(text: str, limit: int, *secrets: str) -> str:
    """The beginning of a far end's own words, on one line, fit to be shown to a person."""
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    line = " ".join(clean(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
