"""Reads numbers that are written in words or in words and figures: «восемь 916 сто двадцать три сорок пять 67»."""

import re
from collections.abc import Iterator

_UNITS = ("ноль", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять")
_ENGLISH_UNITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_LATIN_UNITS = ("nol", "odin", "dva", "tri", "chetyre", "pyat", "shest", "sem", "vosem", "devyat")
_TEEN_STEMS = ("один", "две", "три", "четыр", "пят", "шест", "сем", "восем", "девят")
_TEENS = ("десять", *(f"{stem}надцать" for stem in _TEEN_STEMS))
_TENS = ("двадцать", "тридцать", "сорок", "пятьдесят", "шестьдесят", "семьдесят", "восемьдесят", "девяносто")
_HUNDREDS = ("сто", "двести", "триста", "четыреста", "пятьсот", "шестьсот", "семьсот", "восемьсот", "девятьсот")
_VALUES = (
    {word: value for value, word in enumerate(_UNITS)}
    | {word: value for value, word in enumerate(_TEENS, start=10)}
    | {word: value * 10 for value, word in enumerate(_TENS, start=2)}
    | {word: value * 100 for value, word in enumerate(_HUNDREDS, start=1)}
    | {"нуль": 0, "ноля": 0, "нуля": 0, "нолик": 0, "одна": 1, "адин": 1, "две": 2, "тройка": 3, "семерка": 7, "восьмерка": 8, "девятка": 9}
    | {"шисят": 60, "шестьдесять": 60, "пятьдесять": 50, "писят": 50, "семьдесять": 70, "восемьдесять": 80, "полтинник": 50, "double": 0}
    | {word: value for value, word in enumerate(_ENGLISH_UNITS)}
    | {word: value for value, word in enumerate(_LATIN_UNITS)}
)
SPOKEN_WORD = rf"(?i:{'|'.join(sorted((*_UNITS, *_TEENS, *_TENS, *_HUNDREDS, 'одна', 'две'), key=len, reverse=True))})"
_ITEM = re.compile(r"(?<![^\W\d_])[A-Za-zА-яЁё]{2,14}(?![^\W\d_])|\d{1,20}")
_GAP = re.compile(r"[^\w\0]{0,5}|_{1,3}")
_PHONE = re.compile(r"[78][3-9]\d{9}|9\d{9}|375\d{9}|380\d{9}|99[2-68]\d{9}")
_CARD = re.compile(r"[2-6]\d{15}")
_PLUS = re.compile(r"(?:(?<!\w)(?i:плюс) {0,2}|\+ ?)$")
_HINT = re.compile(
    "нол|нул|один|дв[ае]|три|четыр|пят|шес|сем|восем|вос|девя|десят|надцат|двад|сорок|сто|zero|one|two|thr|four|five|six"
    "|sev|eig|nin|odin|tri|dva|sem|pya|shest|nol"
)
_LONGEST = 16
_MOST_READINGS = 16


def spoken_numbers(text: str) -> Iterator[tuple[int, int, str, str]]:
    """(start, end, kind, digits) of each phone or card number with at least one figure written as a word."""
    for items in _runs(text):
        first = 0
        while first < len(items):
            length, digits = (
                _number_at(items[first : first + _LONGEST * 2]) if _value(items[first]) is not None or len(items) > 1 else (0, "")
            )
            if not length:
                first += 1
                continue
            start = items[first].start()
            plus = _PLUS.search(text, max(0, start - 7), start)
            kind = "КАРТА" if len(digits) == _LONGEST else "ТЕЛЕФОН"
            yield plus.start() if plus else start, items[first + length - 1].end(), kind, digits[-10:] if kind == "ТЕЛЕФОН" else digits
            first += length


def may_be_spoken(text: str) -> bool:
    """Whether a number word may stand in the text."""
    return bool(_HINT.search(text.lower()))


def digit_readings(text: str) -> list[str]:
    """The digits that a text of nothing but figures and number words spells; several where «шестьсот 14» may be 614 or 600 14."""
    items = list(_ITEM.finditer(text))
    if not items or any(not item[0].isdecimal() and _value(item) is None for item in items):
        return []
    readings = [("", 0)]
    for item in items:
        readings = _read_on(readings, item)
    return [digits for digits, _ in readings]


def _value(item: re.Match[str]) -> int | None:
    return _VALUES.get(item[0].lower().replace("ё", "е"))


def _runs(text: str) -> Iterator[list[re.Match[str]]]:
    """Figures and number words that follow each other closely, where at least one is a word."""
    run: list[re.Match[str]] = []
    for item in _ITEM.finditer(text):
        is_number = item[0].isdecimal() or _value(item) is not None
        if run and (not is_number or not _GAP.fullmatch(text, run[-1].end(), item.start())):
            if any(_value(number) is not None for number in run):
                yield run
            run = []
        if is_number:
            run.append(item)
    if any(_value(number) is not None for number in run):
        yield run


def _number_at(items: list[re.Match[str]]) -> tuple[int, str]:
    """How many items from the first one make up a number, and its digits; 0 where none do."""
    readings = [("", 0)]
    longest = 0, ""
    worded = False
    for index, item in enumerate(items):
        worded = worded or _value(item) is not None
        readings = _read_on(readings, item)
        if not readings:
            break
        for digits, _ in readings:
            if worded and (_PHONE.fullmatch(digits) or _CARD.fullmatch(digits)):
                longest = index + 1, digits
    return longest


def _read_on(readings: list[tuple[str, int]], item: re.Match[str]) -> list[tuple[str, int]]:
    """The readings after one more item; a pair is the digits and the worded number at their end that may go on (900 + 16)."""
    value = _value(item)
    found = []
    for digits, last in readings:
        added = value if value is not None else int(item[0]) if len(item[0]) <= 2 and item[0][0] != "0" else 0
        goes_on = bool(added) and (
            (last and last % 100 == 0 and added < 100) or (last and last % 10 == 0 and last % 100 > 10 and added < 10)
        )
        if goes_on:
            found.append((digits[: -len(str(last))] + str(last + added), last + added if value is not None else 0))
        if not goes_on or value is None:
            found.append((digits + (item[0] if value is None else str(value)), value or 0))
    return [reading for reading in found if len(reading[0]) <= _LONGEST][:_MOST_READINGS]
