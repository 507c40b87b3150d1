"""Read Russian number words in every usual spelling, and the words between numbers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.grading.masking.transliteration import in_cyrillic

_UNITS = ("ноль", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять")
_ENGLISH_UNITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEEN_STEMS = ("один", "две", "три", "четыр", "пят", "шест", "сем", "восем", "девят")
_TEENS = ("десять", *(f"{stem}надцать" for stem in _TEEN_STEMS))
_TENS = (
    "двадцать",
    "тридцать",
    "сорок",
    "пятьдесят",
    "шестьдесят",
    "семьдесят",
    "восемьдесят",
    "девяносто",
)
_HUNDREDS = (
    "сто",
    "двести",
    "триста",
    "четыреста",
    "пятьсот",
    "шестьсот",
    "семьсот",
    "восемьсот",
    "девятьсот",
)
_DIGIT_NAMES = (
    "нол",
    "единиц",
    "двой",
    "трой",
    "четвер",
    "пятер",
    "шестер",
    "семер",
    "восьмер",
    "девят",
)
_VALUES = (
    {word: value for value, word in enumerate(_UNITS)}
    | {word: value for value, word in enumerate(_TEENS, start=10)}
    | {word: value * 10 for value, word in enumerate(_TENS, start=2)}
    | {word: value * 100 for value, word in enumerate(_HUNDREDS, start=1)}
    | {
        "нуль": 0,
        "нолик": 0,
        "зеро": 0,
        "одна": 1,
        "адин": 1,
        "единица": 1,
        "единичка": 1,
        "две": 2,
        "двоечка": 2,
        "четыри": 4,
        "четире": 4,
    }
    | {
        f"{name}{ending}": value
        for value, name in enumerate(_DIGIT_NAMES)
        if value > 1
        for ending in ("ка", "ки", "ку", "очка")
    }
    | {"шисят": 60, "писят": 50, "полтинник": 50, "двухсот": 200, "девяноста": 90, "double": 0}
    | {word: value for value, word in enumerate(_ENGLISH_UNITS)}
)
# «три нуля», «две семёрки»: the digit as often as the number before says.
_REPEATED = {
    "ноля": 0,
    "нуля": 0,
    "нолей": 0,
    "нулей": 0,
    "нолика": 0,
    "единицы": 1,
    "единички": 1,
} | {f"{name}ки": value for value, name in enumerate(_DIGIT_NAMES) if value > 1}
_MOST_REPEATED = 4
_SAID_MARKS = (
    "тире дефис черточка черта пробел точка тчк запятая скобка скобки скобку "
    "скобочка скобочки слеш слэш слитно звездочка решетка минус"
)
_SEQUENCE = "потом затем дальше далее следом после"
_ASIDE = (
    "а и в еще там это плюс начало конец сам номер опять снова цифра цифры "
    "открывается закрывается теперь идет идут так ага угу ну вот значит короче конце начале конец "
    "такое стоп секунду записал записала записали записываете дайте"
)
_WORDS = (*_UNITS, *_TEENS, *_TENS, *_HUNDREDS, "одна", "две")
SPOKEN_WORD = rf"(?i:{'|'.join(sorted(_WORDS, key=len, reverse=True))})"
_OFTEN_WRONG = re.compile("(?:дц|цц|тц|дк|ц)ат|ц(?=от)|ь|ё")
_ITEM = re.compile(
    r"(?<![^\W\d_])[A-Za-zА-яЁё]{2,90}(?![^\W\d_])|(?<![^\W\d_])[ОоOoАаИиСс](?![^\W\d_])"
    r"|(?<![^\W\d_])[Вв](?= (?:конце|начале)(?!\w))|\d{1,20}"
)
_HINT = re.compile(
    "нол|нул|один|дв[ае]|три|четыр|пят|шес|сем|восем|восьм|вос|девя|десят|надцат"
    "|двад|сорок|сто|шисят|писят|едини|zero|one|two|thr|four|five"
    "|six|sev|eig|nin|odin|tri|dva|sem|pya|shest|nol"
)
_SAID_BETWEEN = re.compile(
    r"\d\W{0,3}(?:тире|деф|черт|пробел|точка|тчк|запят|скоб|сл[еэ]ш|звезд|минус|а потом|потом"
    r"|затем|дальше|далее)"
)


def _plain(word: str) -> str:
    """Return the word without letters that people omit or mix up: soft signs, «ё», «дц»."""
    return _OFTEN_WRONG.sub(
        lambda match: {"ь": "", "ё": "е", "ц": "тс"}.get(match[0], "дцат"), word.lower()
    )


_FILLERS = {
    _plain(word): mark
    for mark, words in enumerate((_ASIDE, _SEQUENCE, _SAID_MARKS))
    for word in words.split()
}
_PLAIN_VALUES = {_plain(word): value for word, value in _VALUES.items()}
_PLAIN_REPEATED = {_plain(word): value for word, value in _REPEATED.items()}
_GLUED_WORD = re.compile(
    "|".join(
        sorted(
            (word for word in _PLAIN_VALUES if word.isalpha() and len(word) > 2),
            key=len,
            reverse=True,
        )
    )
)
_GLUED = re.compile(f"(?:{_GLUED_WORD.pattern}){{2,14}}")


@dataclass(frozen=True)
class Item:
    """A figure or a number word: its digits, or its value.

    `repeats`: a digit that the word before may count. `mark`: weight of the fillers before it: 2
    for «тире», 1 for «потом», else 0.
    """

    start: int
    end: int
    digits: str = ""
    value: int | None = None
    repeats: bool = False
    mark: int = 0

    @property
    def is_worded(self) -> bool:
        return self.value is not None


@dataclass(frozen=True)
class Filler:
    """A word between numbers.

    `mark`: 2 for the name of a character («тире»), 1 for a word of sequence («потом»), else 0.
    """

    start: int
    end: int
    mark: int


def may_be_spoken(text: str) -> bool:
    """Return whether a number word, or a mark or pause in words after a digit, may be present."""
    lower = text.lower()
    return bool(_HINT.search(lower) or _SAID_BETWEEN.search(lower))


def number_tokens(text: str) -> Iterator[Item | Filler | None]:
    """Return figures, number words and fillers of the text in order; None for any other word."""
    for match in _ITEM.finditer(text):
        yield from _tokens(match)


def _tokens(match: re.Match[str]) -> Iterator[Item | Filler | None]:
    word, (start, end) = match[0], match.span()
    if word[0].isdecimal():
        yield Item(start, end, digits=word)
        return
    plain = _plain(word)
    if plain in {"о", "o"}:
        yield Item(start, end, value=0)
    elif plain in _FILLERS:
        yield Filler(start, end, _FILLERS[plain])
    elif (value := _value(plain)) is not None:
        yield Item(start, end, value=value, repeats=plain in _PLAIN_REPEATED)
    elif len(plain) > 6 and _GLUED.fullmatch(plain):
        yield from _glued(start, end, plain)
    else:
        yield None


def _value(plain: str) -> int | None:
    value = _PLAIN_VALUES.get(plain, _PLAIN_REPEATED.get(plain))
    return (
        _PLAIN_VALUES.get(_plain(in_cyrillic(plain)))
        if value is None and plain.isascii() and len(plain) > 2
        else value
    )


def _glued(start: int, end: int, plain: str) -> Iterator[Item]:
    """Yield the numbers of a word like «восемьдевятьсот»; all end where the word ends."""
    for place, piece in enumerate(_GLUED_WORD.findall(plain)):
        yield Item(start if not place else end, end, value=_PLAIN_VALUES[piece])


def extend_readings(
    readings: list[tuple[str, int]], item: Item, longest: int, most: int
) -> list[tuple[str, int]]:
    """Return at most `most` readings with one more item, each of at most `longest` digits.

    A reading is the digits and the worded number at their end, to which the next item may add
    (900 + 16).
    """
    found = [extended for digits, last in readings for extended in _extend(digits, last, item)]
    return [reading for reading in found if len(reading[0]) <= longest][:most]


def _extend(digits: str, last: int, item: Item) -> Iterator[tuple[str, int]]:
    added = _addend(item)
    is_sum = _takes_addend(last, added)
    if is_sum:
        total = last + added
        yield digits[: -len(str(last))] + str(total), total if item.is_worded else 0
    if not is_sum or item.repeats or not item.is_worded:
        yield digits + (item.digits or str(item.value)), item.value or _digit(item)
    times = _times(last)
    if item.repeats and 2 <= times <= _MOST_REPEATED:
        yield digits[:-1] + "0" * (last > 10) + str(item.value) * times, 0


def _times(last: int) -> int:
    """Return how often the number's last word repeats a digit («три нуля»); 0 for a teen."""
    return last % 10 if last % 100 < 10 or last % 100 > 20 else 0


def _addend(item: Item) -> int:
    """Return the number that the item may add to a worded number before it; 0 if it may not."""
    if item.value is not None:
        return item.value
    return int(item.digits) if len(item.digits) <= 2 and item.digits[0] != "0" else 0


def _takes_addend(last: int, added: int) -> bool:
    """Return whether a sum may be spoken this way: 900 + 16, 920 + 5."""
    if not last or not added:
        return False
    return (last % 100 == 0 and added < 100) or (last % 10 == 0 and last % 100 > 10 and added < 10)


def _digit(item: Item) -> int:
    return int(item.digits) if len(item.digits) == 1 else 0
