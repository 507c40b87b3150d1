"""What the detectors of personal data share: one spelling of a text for searching, and finders made of patterns.

A finder takes the text as `uniform` gives it, with what was found before as NULs, and yields (start, end, key); equal keys are the same
thing written differently. Every quantifier in a pattern is bounded and no pattern starts inside a word: the cost is linear in the text.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence

Finder = Callable[[str], Iterator[tuple[int, int, str]]]
Found = tuple[int, int, str, str]
"""(start, end, kind, key)."""

# Letters that pass for digits, where they stand among digits: «89О5», «9ОЗ», «l23», «89б3».
_DIGIT_LIKE = {letter: digit for digit, letters in {"0": "ОоOo", "1": "lI|", "3": "Зз", "4": "Чч", "6": "б"}.items() for letter in letters}
_LETTER_DIGITS = re.compile(r"(?<=\d)[ОоOolI|ЗзЧчб]{1,3}(?![^\W\d_])|(?<![^\W\d_])[ОоOolI|ЗзЧчб]{1,3}(?=\d)")
_FOREIGN_DIGIT = re.compile(r"(?![0-9])\d")
# Blanks, the two marks that make a keycap of a digit, and pictures, which people put between digits.
_BLANK = re.compile("[^\\S ]|[\ufe0f\u20e3\u2190-\u2bff\U0001f000-\U0001faff]")
_WITHOUT_DIGITS = re.compile("[ -/:-~А-яЁё«»…₽№]*")
_USUAL = dict.fromkeys(map(ord, "‐‑‒–—―−"), "-") | dict.fromkeys(map(ord, "\n\t\u00a0"), " ")
FREE = r"(?<![A-Za-z\d])"
"""Not glued to Latin letters before: such a figure belongs to a part number."""
END = r"(?![A-Za-z\d])"


def uniform(text: str) -> str:
    """The text with any script's digits as 0-9, letters that pass for them too, any dash as "-", any blank as " "; no character moves."""
    plain = text.translate(_USUAL)
    if _WITHOUT_DIGITS.fullmatch(plain):
        return plain
    plain = _FOREIGN_DIGIT.sub(lambda match: str(unicodedata.decimal(match[0])), _BLANK.sub(" ", plain))
    return _LETTER_DIGITS.sub(lambda match: "".join(_DIGIT_LIKE[letter] for letter in match[0]), plain)


def digits_of(text: str) -> str:
    """The digits alone."""
    return re.sub(r"\D", "", text)


def plain_key(text: str) -> str:
    """The text in lower case with single blanks."""
    return " ".join(text.lower().split())


def finder(pattern: str, key: Callable[[str], str] = plain_key, accept: Callable[[str], bool] = lambda _: True) -> Finder:
    """A finder of the pattern's group `v`, or of all it matches, where `accept` takes the value."""
    compiled = re.compile(pattern)
    group = "v" if "v" in compiled.groupindex else 0

    def find(text: str) -> Iterator[tuple[int, int, str]]:
        for match in compiled.finditer(text):
            if accept(match[group]):
                yield *match.span(group), key(match[group])

    return find


def blanked(text: str, found: Sequence[Found], mark: str = "\0") -> str:
    """The text with `mark` for each character of what was found, every other character in its place."""
    if not found:
        return text
    parts, position = [], 0
    for start, end, *_ in sorted(found):
        parts += [text[position:start], mark * (end - start)]
        position = end
    return "".join([*parts, text[position:]])
