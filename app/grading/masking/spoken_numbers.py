"""Reads numbers that are written in words or in words and figures: «восемь 916 сто двадцать три
сорок пять 67».
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from app.grading.masking.number_words import (
    SPOKEN_WORD,
    Filler,
    Item,
    may_be_spoken,
    number_tokens,
    read_on,
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
_MOST_READINGS = 16
_MOST_FILLERS = 4
_LOOK_BACK = 45


def spoken_numbers(text: str) -> Iterator[tuple[int, int, str, str]]:
    """(start, end, kind, digits) of each phone or card number with a figure, a mark or a pause
    written as a word.
    """
    for items in _runs(text):
        first = 0
        while first < len(items):
            length, kind, digits = _number_at(text, items[first : first + _LONGEST * 2])
            if not length:
                first += 1
                continue
            start = items[first].start
            plus = _PLUS.search(text, max(0, start - 7), start)
            yield plus.start() if plus else start, items[first + length - 1].end, kind, digits
            first += length


def digit_readings(text: str) -> list[str]:
    """The digits that a text of nothing but figures and number words spells; several where
    «шестьсот 14» may be 614 or 600 14.
    """
    tokens = list(number_tokens(text))
    items = [token for token in tokens if isinstance(token, Item)]
    if not items or any(token is None for token in tokens):
        return []
    readings = [("", 0)]
    for item in items:
        readings = read_on(readings, item, _LONGEST, _MOST_READINGS)
    return [digits for digits, _ in readings]


def _runs(text: str) -> Iterator[list[Item]]:
    """Numbers that follow each other closely, with a word of a number, of a mark or of sequence
    among them.
    """
    run: list[Item] = []
    end = fillers = mark = 0
    for token in (*number_tokens(text), None):
        is_near = token is not None and bool(_GAP.fullmatch(text, end, max(end, token.start)))
        if isinstance(token, Filler) and run and is_near and fillers < _MOST_FILLERS:
            fillers, mark, end = fillers + 1, max(mark, token.mark), token.end
            continue
        if run and not (isinstance(token, Item) and is_near):
            if any(item.value is not None or item.mark for item in run):
                yield run
            run = []
        if isinstance(token, Item):
            run.append(replace(token, mark=mark) if run and mark else token)
            end = token.end
        fillers = mark = 0


def _number_at(text: str, items: Sequence[Item]) -> tuple[int, str, str]:
    """Return how many of the first items make up a number (0: none), its kind and its digits."""
    readings = [("", 0)]
    longest = 0, "", ""
    before = text[max(0, items[0].start - _LOOK_BACK) : items[0].start]
    is_town, is_paper = bool(_TOWN_WORD.search(before)), bool(_PAPER_WORD.search(before))
    card = _LONG_CARD if _CARD_WORD.search(before) else _CARD
    worded = 0
    for index, item in enumerate(items):
        worded = max(worded, 2 if item.value is not None else item.mark if index else 0)
        readings = read_on(readings, item, _LONGEST, _MOST_READINGS)
        if not readings:
            break
        is_whole = is_town and worded > 1 and index > 0 and index + 1 == len(items)
        for digits, _ in readings:
            kind = (
                _kind(digits, is_whole, is_paper, card)
                if worded > 1 or (worded and _is_grouped(items[: index + 1]))
                else ""
            )
            if kind:
                longest = index + 1, kind, digits[-10:] if kind == "ТЕЛЕФОН" else digits
    return (
        (0, "", "")
        if 0 < len(longest[2]) < 8 and _COUNTED.match(text, items[longest[0] - 1].end)
        else longest
    )


def _is_grouped(items: Sequence[Item]) -> bool:
    """Whether the figures are grouped as in a phone or card number."""
    return bool(_GROUPS.fullmatch("".join(f"{item.digits} " for item in items)))


def _kind(digits: str, is_town: bool, is_paper: bool, card: re.Pattern[str]) -> str:
    if is_paper and _PAPER.fullmatch(digits):
        return "ПАСПОРТ"
    if _PHONE.fullmatch(digits) or (is_town and _TOWN_PHONE.fullmatch(digits)):
        return "ТЕЛЕФОН"
    return "КАРТА" if card.fullmatch(digits) else ""
