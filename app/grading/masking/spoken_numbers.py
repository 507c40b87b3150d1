"""Find numbers in words and figures: «восемь 916 сто двадцать три сорок пять 67»."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from app.grading.masking.number_words import (
    SPOKEN_WORD,
    Filler,
    Item,
    extend_readings,
    may_be_spoken,
    number_tokens,
)

__all__ = ["SPOKEN_WORD", "digit_readings", "may_be_spoken", "spoken_numbers"]

_GAP = re.compile(r"[^\w\0]{0,5}|_{1,3}")
_PHONE = re.compile(r"[78][3-9]\d{9}|9\d{9}|375\d{9}|380\d{9}|99[2-68]\d{9}")
_CARD = re.compile(r"[2-6]\d{15}")
_LONG_CARD = re.compile(r"[2-6]\d{15,18}")
_CARD_WORD = re.compile(r"(?<!\w)(?i:карт[аеуы]\w{0,3}|карточк\w{1,2})[^\d\0\n]{0,30}$")
_TOWN_PHONE = re.compile(r"[1-9]\d{4,6}")
_PAPER = re.compile(r"\d{10}")
_PLUS = re.compile(r"(?:(?<!\w)(?i:плюс|с) {0,2}|\+ ?)$")
_TOWN_WORD = re.compile(
    r"(?<!\w)(?i:городск\w{2,3}|стационарн\w{2,3}|домашн\w{2,3}|рабоч\w{2,3}|тел\.?"
    r"|телефон\w{0,3}|звоните|наберите)"
    r"[ :,]{1,3}(?:(?i:тел\.?|телефон\w{0,3}|номер\w{0,2}|на|по|городской|домашний|рабочий)"
    r"[ :,]{1,3}){0,2}$"
)
_PAPER_WORD = re.compile(r"(?i:паспорт\w{0,3}|серия|права)(?: \w{2,12}){0,3}[ :,«\"(—-]{1,4}$")
_COUNTED = re.compile(
    r" ?(?i:руб|тыс|р\b|шт|километр|км|лет|год|мин|час|метр|см|кг|литр|человек|раз)"
)
_GROUPS = re.compile(
    r"(?:[78] ?)?\d{3} (?:\d{7}|\d{3} ?\d\d ?\d\d) |[78]\d{3} ?\d{3} ?\d\d ?\d\d |(?:\d{4} ){4}"
)
_LONGEST = 19
_SHORTEST_SURE = 8
_MOST_READINGS = 16
_MOST_FILLERS = 4
_LOOK_BACK = 45


class _Number(NamedTuple):
    """The number that the first `length` items of a run make up."""

    length: int
    kind: str
    digits: str


class _Context(NamedTuple):
    """What the words before a number make of it."""

    is_town: bool
    is_paper: bool
    card: re.Pattern[str]


def spoken_numbers(text: str) -> Iterator[tuple[int, int, str, str]]:
    """Yield (start, end, kind, digits) of each number with a digit, mark or pause in words."""
    for items in _runs(text):
        first = 0
        while first < len(items):
            number = _longest_number(text, items[first : first + _LONGEST * 2])
            if not number:
                first += 1
                continue
            start = items[first].start
            plus = _PLUS.search(text, max(0, start - 7), start)
            end = items[first + number.length - 1].end
            yield plus.start() if plus else start, end, number.kind, number.digits
            first += number.length


def digit_readings(text: str) -> list[str]:
    """Return what a text of figures and number words may spell: «шестьсот 14» is 614 or 60014."""
    tokens = list(number_tokens(text))
    items = [token for token in tokens if isinstance(token, Item)]
    if not items or any(token is None for token in tokens):
        return []
    readings = [("", 0)]
    for item in items:
        readings = extend_readings(readings, item, _LONGEST, _MOST_READINGS)
    return [digits for digits, _ in readings]


def _runs(text: str) -> Iterator[list[Item]]:
    """Yield runs of close numbers with at least one number, mark or word of sequence in words."""
    run: list[Item] = []
    for item, is_joined in _items(text):
        if not is_joined:
            if _has_words(run):
                yield run
            run = []
        run.append(item)
    if _has_words(run):
        yield run


def _has_words(run: Sequence[Item]) -> bool:
    return any(item.is_worded or item.mark for item in run)


def _items(text: str) -> Iterator[tuple[Item, bool]]:
    """Yield each number, and whether only a gap or fillers divide it from the one before."""
    end = fillers = mark = 0
    is_open = False
    for token in number_tokens(text):
        is_near = is_open and token is not None and _is_near(text, end, token.start)
        if isinstance(token, Filler) and is_near and fillers < _MOST_FILLERS:
            fillers, mark, end = fillers + 1, max(mark, token.mark), token.end
            continue
        is_open = isinstance(token, Item)
        if isinstance(token, Item):
            yield replace(token, mark=mark) if is_near else token, is_near
            end = token.end
        fillers = mark = 0


def _is_near(text: str, end: int, start: int) -> bool:
    return bool(_GAP.fullmatch(text, end, max(end, start)))


def _longest_number(text: str, items: Sequence[Item]) -> _Number | None:
    """Return the longest number that begins with the first item."""
    longest = None
    context = _context(text[max(0, items[0].start - _LOOK_BACK) : items[0].start])
    readings = [("", 0)]
    worded = 0
    for length, item in enumerate(items, start=1):
        worded = max(worded, _weight(item, is_first=length == 1))
        readings = extend_readings(readings, item, _LONGEST, _MOST_READINGS)
        if not readings:
            break
        if worded > 1 or (worded and _is_grouped(items[:length])):
            may_be_town = worded > 1 and 1 < length == len(items)
            longest = _number(readings, length, context, may_be_town=may_be_town) or longest
    return None if longest and _is_count(text, items, longest) else longest


def _weight(item: Item, *, is_first: bool) -> int:
    """Return how certain an item makes it that a number is dictated: 2 certain, 0 uncertain."""
    if item.is_worded:
        return 2
    return 0 if is_first else item.mark


def _is_count(text: str, items: Sequence[Item], number: _Number) -> bool:
    """Recognize a short number before a unit: «сто двадцать рублей»."""
    end = items[number.length - 1].end
    return len(number.digits) < _SHORTEST_SURE and bool(_COUNTED.match(text, end))


def _context(before: str) -> _Context:
    return _Context(
        is_town=bool(_TOWN_WORD.search(before)),
        is_paper=bool(_PAPER_WORD.search(before)),
        card=_LONG_CARD if _CARD_WORD.search(before) else _CARD,
    )


def _number(
    readings: Sequence[tuple[str, int]], length: int, context: _Context, *, may_be_town: bool
) -> _Number | None:
    """Return the number of the last reading that is one."""
    for digits, _ in reversed(readings):
        kind = _kind(digits, context, may_be_town=may_be_town)
        if kind:
            return _Number(length, kind, digits[-10:] if kind == "ТЕЛЕФОН" else digits)
    return None


def _is_grouped(items: Sequence[Item]) -> bool:
    """Return whether the figures are grouped as in a phone or card number."""
    return bool(_GROUPS.fullmatch("".join(f"{item.digits} " for item in items)))


def _kind(digits: str, context: _Context, *, may_be_town: bool) -> str:
    if context.is_paper and _PAPER.fullmatch(digits):
        return "ПАСПОРТ"
    if _PHONE.fullmatch(digits):
        return "ТЕЛЕФОН"
    if may_be_town and context.is_town and _TOWN_PHONE.fullmatch(digits):
        return "ТЕЛЕФОН"
    return "КАРТА" if context.card.fullmatch(digits) else ""
