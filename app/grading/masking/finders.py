"""One spelling of a text for searching, and finders made of patterns.

A finder takes the text that `uniform` returns, with earlier finds as NULs. It yields (start, end,
key); equal keys are the same datum in different spellings. Every quantifier in a pattern is bounded
and no pattern starts inside a word, so the cost is linear in the text.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence

Finder = Callable[[str], Iterator[tuple[int, int, str]]]
Hint = Callable[[str], object]
"""True where a text may hold what a family of finders looks for."""
Found = tuple[int, int, str, str]
"""(start, end, kind, key)."""

_BARS = re.compile(r"\|\d{2,4}\|")
# Letters that pass for digits, where they stand among digits: «89О5», «9ОЗ», «l23», «89б3».
_DIGIT_LIKE = {
    letter: digit
    for digit, letters in {"0": "ОоOo", "1": "lI|", "3": "Зз", "4": "Чч", "6": "бБ"}.items()
    for letter in letters
}
_LETTER_DIGITS = re.compile(
    r"(?<=\d)[ОоOolI|ЗзЧчбБ]{1,3}(?![^\W\d_])|(?<![^\W\d_])[ОоOolI|ЗзЧчбБ]{1,3}(?=\d)"
)
# Digits of other scripts, and those in circles.
_FOREIGN_DIGIT = re.compile(
    r"(?![0-9])\d|[\u2460-\u2468\u24ea\u24ff\u2776-\u277e\u2780-\u2788\u278a-\u2792"
    r"\U0001f10b\U0001f10c]"
)
# Raised and lowered digits in a row; a single one is that of «м²».
_SMALL_DIGITS = re.compile(r"[\u00b9\u00b2\u00b3\u2070\u2074-\u2079]{2,40}|[\u2080-\u2089]{2,40}")
# A whole number of a mobile phone in which letters pass for digits: «8g35З257922».
_LETTERED_PHONE = re.compile(r"(?<!\w)[\dОоOolIЗзЧчбБВBgq]{10,11}(?!\w)")
_LETTERS_OF_PHONE = str.maketrans("ОоOolIЗзЧчбБВBgq", "0000113344668899")
_PHONE = re.compile(r"[78]?9\d{9}")
_LEAST_FIGURES = 5
_LATIN_LETTER = re.compile("[A-Za-z]")
# A word with Latin letters among Russian ones, and the Russian letters that they look like.
_MIXED_WORD = re.compile(
    r"(?<![^\W\d_])(?=[A-Za-z]{0,20}[А-яЁё])(?=[А-яЁё]{0,20}[A-Za-z])[A-Za-zА-яЁё]{2,30}"
    r"(?![^\W\d_])"
)
_LOOKS_RUSSIAN = str.maketrans("ABCEHKMOPTXYaceopxykmth", "АВСЕНКМОРТХУасеорхукмтн")
# Blanks, the two marks that make a keycap of a digit, and pictures, which people put between
# digits.
_BLANK = re.compile("[^\\S ]|[\ufe0f\u20e3\u2190-\u2bff\U0001f000-\U0001faff]")
_WITHOUT_DIGITS = re.compile("[ -/:-~А-яЁё«»…₽№]*")
_USUAL = (
    dict.fromkeys(map(ord, "‐‑‒–—―−"), "-")
    | dict.fromkeys(map(ord, "\n\t\u00a0"), " ")
    | {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
)
"""Dashes, blanks, and ASCII characters of full width."""
FREE = r"(?<![A-Za-z\d])"
"""Not glued to Latin letters before: such a figure belongs to a part number."""
END = r"(?![A-Za-z\d])"


def uniform(text: str) -> str:
    """Return the text with uniform digits, dashes and blanks; no character moves.

    Digits of any script, and letters that are used as digits, become 0-9.
    """
    plain = text.translate(_USUAL)
    if _WITHOUT_DIGITS.fullmatch(plain):
        return plain
    plain = _FOREIGN_DIGIT.sub(_write_digits, _SMALL_DIGITS.sub(_write_digits, plain))
    plain = _LETTERED_PHONE.sub(_write_phone, plain)
    plain = _BLANK.sub(" ", plain)
    if _LATIN_LETTER.search(plain):
        plain = _MIXED_WORD.sub(lambda match: match[0].translate(_LOOKS_RUSSIAN), plain)
    bars = "|" if _BARS.search(plain) else ""  # «8|916|204»: they part the digits
    return _LETTER_DIGITS.sub(
        lambda match: "".join(
            letter if letter == bars else _DIGIT_LIKE[letter] for letter in match[0]
        ),
        plain,
    )


def _write_digits(match: re.Match[str]) -> str:
    return "".join(str(int(unicodedata.numeric(char))) for char in match[0])


def _write_phone(match: re.Match[str]) -> str:
    """Return the number of a mobile phone in figures; another word stays."""
    figures = match[0].translate(_LETTERS_OF_PHONE)
    has_figures = sum(char.isdecimal() for char in match[0]) >= _LEAST_FIGURES
    return figures if has_figures and _PHONE.fullmatch(figures) else match[0]


def digits_of(text: str) -> str:
    """Return only the digits."""
    return re.sub(r"\D", "", text)


def plain_key(text: str) -> str:
    """Return the text in lower case with single blanks."""
    return " ".join(text.lower().split())


def finder(
    pattern: str,
    key: Callable[[str], str] = plain_key,
    accept: Callable[[str], bool] = lambda _: True,
) -> Finder:
    """Return a finder of the pattern's group `v`, or of the whole match, if `accept` is true."""
    compiled = re.compile(pattern)
    group = "v" if "v" in compiled.groupindex else 0

    def find(text: str) -> Iterator[tuple[int, int, str]]:
        for match in compiled.finditer(text):
            if accept(match[group]):
                yield *match.span(group), key(match[group])

    return find


def in_lower(pattern: str) -> Hint:
    """Return a hint that searches the text in lower case.

    It is several times as fast as a pattern that ignores case.
    """
    compiled = re.compile(pattern)
    return lambda text: compiled.search(text.lower())


def blanked(text: str, found: Sequence[Found], mark: str = "\0") -> str:
    """Return the text with `mark` for each character of what was found; no character moves."""
    if not found:
        return text
    parts, position = [], 0
    for start, end, *_ in sorted(found):
        parts += [text[position:start], mark * (end - start)]
        position = end
    return "".join([*parts, text[position:]])
