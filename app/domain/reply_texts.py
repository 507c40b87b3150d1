"""Texts of the company in a form in which copies of one template are equal."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from app.domain.visible_text import keep_visible

_DAY_TIME = r"(?:день|дня|утро|утра|вечер|вечера|ночи|времени суток)"
_GREETING = rf"(?:здравствуй(?:те)?|добр(?:ый|ое|ой|ого|ая) {_DAY_TIME}|привет(?:ствую)?)"
_NAME = r"[А-ЯЁA-Z][а-яёa-z]{1,20}(?:[ -][А-ЯЁA-Z][а-яёa-z]{1,20})?"
_NAME_AFTER_GREETING = re.compile(rf"((?i:{_GREETING})),? {{1,2}}{_NAME}(?= ?[,!.)…\n]| ?$)")
_NAME_BEFORE_GREETING = re.compile(rf"^\W*{_NAME}, ?(?=(?i:{_GREETING}))")
_FIRST_GREETING = re.compile(rf"^{_GREETING}(?!\w)")
_MONTH = r"(?:январ|феврал|апрел|июн|июл|сентябр|октябр|ноябр|декабр)[ья]|марта?|ма[йя]|августа?"
_WEEKDAY = r"понедельник\w?|вторник\w?|сред[аыу]|четверг\w?|пятниц[аыу]|суббот[аыу]|воскресень[ея]"
_DAY = r"сегодня|завтра|послезавтра"
_VARYING = re.compile(rf"\w*\d\w*|{_MONTH}|{_WEEKDAY}|{_DAY}")
_QUOTED = re.compile(r"«[^«»]{1,100}»|\"[^\"]{1,100}\"|“[^“”]{1,100}”")
_WORD = re.compile(r"\w+")
_LETTER = re.compile(r"[^\W\d_]")
_SIGNED = re.compile(r"уважением\W*$", re.IGNORECASE)
_GAP = re.compile(r"\{[^{}]{0,60}\}")
_GAP_MARK = "пропускшаблона"
_LONGEST_GAP = 12
"""Words that a gap of a listed text may stand for."""
MOST_LISTED = 200
"""Texts in AUTOREPLY_TEXTS_FILE. Each message of the company is compared with all of them."""
_LONGEST_TEXT = 4_000
"""In characters. Longer texts are compared by their beginning."""


def normalize_reply(text: str, *, names: Iterable[str] = (), title: str | None = None) -> str:
    """Return the words of a text by which copies of a template are recognised.

    Case, spaces and punctuation do not matter. ``names`` that address the buyer and a name beside
    the greeting are removed. One sign stands for the listing's ``title`` (if it is in quotation
    marks or has several words: a single one may be any word), numbers, dates and quoted words, and
    one greeting for all. Empty without letters: sellers of many things write only a price.
    """
    shown = " ".join(keep_visible(text[:_LONGEST_TEXT]).split())
    of_title = " ".join(keep_visible(title or "").split())
    if " " in of_title:  # whole, before its own quotation marks are taken for those around it
        shown = shown.replace(of_title, "0")
    for name in names:
        shown = _remove_name(shown, " ".join(keep_visible(name).split()))
    shown = _NAME_BEFORE_GREETING.sub("", _NAME_AFTER_GREETING.sub(r"\1", shown))
    line = f" {_simplify(shown)} "
    if " " in of_title and (words := _simplify(of_title)):
        line = line.replace(f" {words} ", " # ")
    line = _FIRST_GREETING.sub("привет", _join_signs(line.strip()))
    return line if _LETTER.search(line) else ""


def _remove_name(text: str, name: str) -> str:
    """Remove a name by which the buyer is addressed: set off by a greeting or by punctuation.

    A seller may have the same name: «Меня зовут Анна», «С уважением, Анна».
    """
    if len(name) < 2 or name.lower() not in text.lower():  # one letter is also a word
        return text
    addressed = re.compile(
        rf"((?:^|[,!?.…)]|(?<!\w){_GREETING}) ?){re.escape(name)}(?= ?[,!?.…)]| ?$)", re.IGNORECASE
    )
    return addressed.sub(
        lambda found: found[0] if _SIGNED.search(text, 0, found.end(1)) else found[1], text
    )


def _simplify(text: str) -> str:
    """Return the words of a text; numbers, dates and quoted words in a row are one sign."""
    words = _list_words(_QUOTED.sub(" 0 ", text))
    return _join_signs(" ".join("#" if _VARYING.fullmatch(word) else word for word in words))


def _join_signs(line: str) -> str:
    return re.sub(r"#(?: #)+", "#", line)


def _list_words(text: str) -> list[str]:
    return _WORD.findall(text.lower().replace("ё", "е"))


def hash_reply(account_id: int, normalized: str) -> int:
    """Return the key of a template in an account: a signed number of 64 bits."""
    content = f"{account_id}\0{normalized}".encode()
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), signed=True)


@dataclass(frozen=True)
class ListedTexts:
    """The automatic replies of AUTOREPLY_TEXTS_FILE: one in a line, ``{имя}`` is a gap."""

    lines: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Sixteen hex digits that change with the texts; empty without texts."""
        if not self.lines:
            return ""
        content = "\n".join(sorted(set(self.lines)))
        return hashlib.blake2b(content.encode(), digest_size=8).hexdigest()

    @property
    def without_words(self) -> tuple[str, ...]:
        """The lines that are compared with no message: they consist of gaps and numbers."""
        return tuple(line for line in self.lines if not _has_words(_split_listed(line)))

    def contains(self, normalized: str) -> bool:
        """Return whether a normalized text is one of the listed ones."""
        words = normalized.split(" ")
        return any(_matches(pattern, words) for pattern in _list_patterns(self.lines))


@lru_cache(maxsize=4)
def _list_patterns(lines: tuple[str, ...]) -> list[list[str]]:
    """Return the words of the listed texts that have any."""
    return [pattern for pattern in map(_split_listed, lines) if _has_words(pattern)]


def _has_words(pattern: Sequence[str]) -> bool:
    return bool(set(pattern) - {_GAP_MARK, "#", ""})


def _split_listed(line: str) -> list[str]:
    return normalize_reply(_GAP.sub(f" {_GAP_MARK} ", line.replace("\\n", " "))).split(" ")


def _matches(pattern: Sequence[str], words: Sequence[str]) -> bool:
    """Return whether the pattern is all of the words. ``places``: where its next word may be."""
    places = {0}
    for word in pattern:
        if word == _GAP_MARK:
            places = {place + skipped for place in places for skipped in range(_LONGEST_GAP + 1)}
        else:
            places = {place + 1 for place in places if words[place : place + 1] == [word]}
        if not places:
            return False
    return len(words) in places
