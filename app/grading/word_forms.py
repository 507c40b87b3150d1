"""Recognize inflected words of a chat: «дороговатой» for «дороговато»."""

import re
from collections.abc import Iterable

_WORD = re.compile(r"\w+")
_SHORTEST_STEM = 5


def has_forms(words: str, texts: Iterable[str]) -> bool:
    """Return whether one of the texts has each of these words, in any inflection."""
    wanted = _list_words(words)
    return bool(wanted) and any(
        all(any(_is_form(word, other) for other in set(_list_words(text))) for word in wanted)
        for text in texts
    )


def _list_words(text: str) -> list[str]:
    return _WORD.findall(text.lower().replace("ё", "е"))


def _is_form(one: str, other: str) -> bool:
    """Return whether two words are equal, or share their first letters but for an ending."""
    if one == other:
        return True
    stem = max(_SHORTEST_STEM, (max(len(one), len(other)) * 2 + 2) // 3)
    return one.isalpha() and other.isalpha() and len(one) >= stem and one[:stem] == other[:stem]
