"""Recognize texts that a weak model copied from the prompt."""

import re
from functools import lru_cache

_WORD = re.compile(r"\w+")
COPIED_WORDS = 8
"""Words in a row that also stand in the prompt. Fewer may be a usual phrase."""


def is_copied(text: str, prompt: str) -> bool:
    """Return whether the text is a part of the prompt, or has COPIED_WORDS of it in a row."""
    words = _words(text)
    if len(words) < COPIED_WORDS:
        return len(words) > 2 and f" {' '.join(words)} " in _folded(prompt)
    runs = _runs(prompt)
    return any(
        tuple(words[start : start + COPIED_WORDS]) in runs
        for start in range(len(words) - COPIED_WORDS + 1)
    )


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower().replace("ё", "е"))


@lru_cache(maxsize=4)
def _folded(prompt: str) -> str:
    return f" {' '.join(_words(prompt))} "


@lru_cache(maxsize=4)
def _runs(prompt: str) -> frozenset[tuple[str, ...]]:
    words = _words(prompt)
    return frozenset(
        tuple(words[start : start + COPIED_WORDS]) for start in range(len(words) - COPIED_WORDS + 1)
    )
