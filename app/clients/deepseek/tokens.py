"""Estimate of a text's tokens before it is sent. What a request has used is in its response."""

import re

_TOKENS_A_CHARACTER = tuple(
    (re.compile(characters), tokens)
    for characters, tokens in (
        ("[А-Яа-яЁё]", 0.405),
        ("[A-Za-z]", 0.17),
        (r"\d", 0.83),
        (r"\s", 0.2),
        (r"(?![А-Яа-яЁё])[^\W\dA-Za-z]", 1.0),
        (r"[^\w\s]", 0.66),
    )
)
"""Tokens that a character of each kind takes, from a fit to chats, answers and the system message.

A Russian chat with its frame has 2.1 characters a token. Short words and dates have fewer.
"""


def estimate_tokens(text: str) -> int:
    """Return the approximate number of tokens of a text in Russian, English or JSON."""
    return round(sum(len(kind.findall(text)) * share for kind, share in _TOKENS_A_CHARACTER))
