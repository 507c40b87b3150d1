"""Removal of characters that are invisible to people.

Such characters affect a model, a database or a mail client.
"""

import re
import unicodedata
from itertools import pairwise

_LINE_BREAKS = re.compile("\r\n|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")
# Visible, and the same in NFC: ASCII, Russian letters, the punctuation and signs of prices and
# sizes.
_ORDINARY = re.compile("[ -~\nА-яЁё«»„“”‘’—–…№₽°²³×]*")
_ZERO_WIDTH_JOINER = "\u200d"
_EMOJI_PRESENTATION = "\ufe0f"
_SURROGATES = re.compile("[\ud800-\udfff]")
# Letters, marks and symbols by category, invisible by looks: Hangul and Khmer fillers, braille
# blank, grapheme joiner.
_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")


def keep_visible(text: str) -> str:
    """Return the visible text in NFC, without control, zero-width, bidi, tag, private-use and
    surrogate characters.

    Every kind of line break becomes "\\n", a tab becomes a space. The joiners and selectors that
    emoji consist of are kept.
    """
    # Fast path for nearly every message: checking each character takes a millisecond.
    if _ORDINARY.fullmatch(text):
        return text
    lines = _LINE_BREAKS.sub("\n", _SURROGATES.sub("", text)).replace("\t", " ")
    kept = [" "]
    composed = unicodedata.normalize("NFC", lines)
    for char, after in pairwise(composed + " "):
        if _is_visible(kept[-1], char, after):
            kept.append(char)
    return unicodedata.normalize("NFC", "".join(kept[1:]))


def _is_visible(before: str, char: str, after: str) -> bool:
    if char == _ZERO_WIDTH_JOINER:
        joins = before == _EMOJI_PRESENTATION or unicodedata.category(before) in {"So", "Sk"}
        return joins and unicodedata.category(after) == "So" and after not in _BLANKS
    if char == _EMOJI_PRESENTATION:
        return unicodedata.category(before) in {"So", "Sm", "Po", "Nd"}
    if char in _BLANKS or _is_variation_selector(char) or _is_noncharacter(char):
        return False
    return char == "\n" or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co"}


def _is_variation_selector(char: str) -> bool:
    """Selectors other than that of emoji change no letter written here and can smuggle text."""
    return "\ufe00" <= char < _EMOJI_PRESENTATION or "\U000e0100" <= char <= "\U000e01ef"


def _is_noncharacter(char: str) -> bool:
    return ord(char) & 0xFFFE == 0xFFFE or "\ufdd0" <= char <= "\ufdef"
