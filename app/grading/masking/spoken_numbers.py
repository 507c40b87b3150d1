"""Reads phone numbers that are written in words or in words and figures: «восемь 916 сто двадцать три сорок пять 67»."""

import re
from collections.abc import Iterator

_UNITS = ("ноль", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять")
_ENGLISH_UNITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEEN_STEMS = ("один", "две", "три", "четыр", "пят", "шест", "сем", "восем", "девят")
_TEENS = ("десять", *(f"{stem}надцать" for stem in _TEEN_STEMS))
_TENS = ("двадцать", "тридцать", "сорок", "пятьдесят", "шестьдесят", "семьдесят", "восемьдесят", "девяносто")
_HUNDREDS = ("сто", "двести", "триста", "четыреста", "пятьсот", "шестьсот", "семьсот", "восемьсот", "девятьсот")
_VALUES = (
    {word: value for value, word in enumerate(_UNITS)}
    | {word: value for value, word in enumerate(_TEENS, start=10)}
    | {word: value * 10 for value, word in enumerate(_TENS, start=2)}
    | {word: value * 100 for value, word in enumerate(_HUNDREDS, start=1)}
    | {"нуль": 0, "ноля": 0, "нуля": 0, "одна": 1, "две": 2}
    | {word: value for value, word in enumerate(_ENGLISH_UNITS)}
)
_ITEM = re.compile(r"[A-Za-zА-яЁё]+|\d+")
_GAP = re.compile(r"[\s,.\-()+]{0,4}")
_PHONE = re.compile(r"[78][3-9]\d{9}|9\d{9}")
_LONGEST = 11


def spoken_phones(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, ten digits) of each phone number with at least one figure written as a word."""
    items = [item for item in _ITEM.finditer(text) if item[0].isdecimal() or item[0].lower() in _VALUES]
    first = 0
    while first < len(items):
        found = _phone_at(text, items[first : first + _LONGEST * 2])
        if found is None:
            first += 1
            continue
        length, digits = found
        yield items[first].start(), items[first + length - 1].end(), digits[-10:]
        first += length


def _phone_at(text: str, items: list[re.Match[str]]) -> tuple[int, str] | None:
    """How many items from the first one make up a phone, and its digits."""
    numbers: list[str] = []
    last = 0  # value of the last number if it is words and may go on: 900 + 16
    worded = False
    longest = None
    for index, item in enumerate(items):
        if index and not _GAP.fullmatch(text, items[index - 1].end(), item.start()):
            break
        word = item[0].lower()
        value = _VALUES.get(word)
        worded = worded or value is not None
        if value and ((last and last % 100 == 0 and value < 100) or (last and last % 10 == 0 and last % 100 > 10 and value < 10)):
            last += value
            numbers[-1] = str(last)
        else:
            last = value or 0
            numbers.append(word if value is None else str(value))
        digits = "".join(numbers)
        if worded and _PHONE.fullmatch(digits):
            longest = index + 1, digits
    return longest
