"""Read numbers in figures and in Russian words: «5 000», «5к», «полторы тысячи», «15-го»."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import count

from app.grading.masking.words import parse_word

_UNITS = (
    *("ноль", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять"),
    *("десять", "одиннадцать", "двенадцать", "тринадцать", "четырнадцать", "пятнадцать"),
    *("шестнадцать", "семнадцать", "восемнадцать", "девятнадцать"),
)
_TENS = (
    *("двадцать", "тридцать", "сорок", "пятьдесят", "шестьдесят", "семьдесят", "восемьдесят"),
    "девяносто",
)
_HUNDREDS = (
    *("сто", "двести", "триста", "четыреста", "пятьсот", "шестьсот", "семьсот", "восемьсот"),
    "девятьсот",
)
_ORDINALS = (
    *("первый", "второй", "третий", "четвёртый", "пятый", "шестой", "седьмой", "восьмой"),
    *("девятый", "десятый", "одиннадцатый", "двенадцатый", "тринадцатый", "четырнадцатый"),
    *("пятнадцатый", "шестнадцатый", "семнадцатый", "восемнадцатый", "девятнадцатый"),
)
_ORDINAL_TENS = (
    *("двадцатый", "тридцатый", "сороковой", "пятидесятый", "шестидесятый", "семидесятый"),
    *("восьмидесятый", "девяностый"),
)
_CARDINALS = (
    dict(zip(_UNITS, count(0), strict=False))
    | dict(zip(_TENS, count(20, 10), strict=False))
    | dict(zip(_HUNDREDS, count(100, 100), strict=False))
    | {"полтора": 1.5}
)
_ORDINAL_VALUES = (
    dict(zip(_ORDINALS, count(1), strict=False))
    | dict(zip(_ORDINAL_TENS, count(20, 10), strict=False))
    | {"двухтысячный": 2000, "тысячный": 1000}
)
_WORD_VALUES = {word.replace("ё", "е"): float(value) for word, value in _CARDINALS.items()}
_ORDINAL_WORDS = {word.replace("ё", "е"): float(value) for word, value in _ORDINAL_VALUES.items()}
_LONE_SCALES = ("тысяча", "тысячу", "тысячи", "тысяче", "миллион", "миллиона", "миллиону", "лям")
_THOUSAND, _MILLION = 1_000.0, 1_000_000.0
_SCALES = {"hundred": 100.0, "thousand": _THOUSAND, "million": _MILLION}
_NOUNS = {
    **{"пятерка": 5.0, "десятка": 10.0, "десяточка": 10.0, "пятнашка": 15.0, "двадцатка": 20.0},
    **{"двадцаточка": 20.0, "тридцатка": 30.0, "сороковник": 40.0, "полтинник": 50.0},
}
"""Nouns for a number of roubles or thousands."""

_TOKEN = re.compile(
    r"(?P<figure>(?<!\w)(?:\d{1,3}(?:[ \u00a0\u202f'’.]\d{3}){1,3}(?!\d)"
    r"|\d{1,9}(?:[.,]\d{1,3})?)(?!\d))"
    r"|(?P<half>с половиной)(?!\w)"
    r"|(?P<thousand>т\.? ?р(?:\.|(?!\w))|тыс(?:яч\w{0,3}|\.|(?!\w))|тыщ\w{0,3}|тыр(?!\w)"
    r"|кк?(?![\w-])|косар\w{0,3})"
    r"|(?P<million>млн\.?(?!\w)|миллион\w{0,3}|лям\w{0,2}(?!\w)|мульт\w{0,2}(?!\w))"
    r"|(?P<hundred>сот(?:ни|ен)(?!\w))"
    r"|(?P<word>(?<!\w)[а-я]{3,14}(?!\w))"
    r"|(?P<other>[^\s\w])"
)
_GROUPS = re.compile(r"[ \u00a0\u202f'’]")
_FIGURE_ORDINAL = re.compile(r"[- ]?(?:го|й|ый|ого|ом)(?!\w)|-м(?!\w)")
_GAP = re.compile(r"[ \u00a0\u202f]{0,2}")


@dataclass(frozen=True)
class Number:
    """A number in a text. ``last_group``: of «13 128» also 128, because it may be two numbers.

    ``has_scale``: thousands or millions are named. ``is_ordinal``: «15-го», «пятнадцатого».
    """

    value: float
    start: int
    end: int
    has_scale: bool = False
    is_ordinal: bool = False
    is_worded: bool = False
    last_group: float | None = None


@dataclass(frozen=True)
class _Token:
    kind: str
    value: float
    start: int
    end: int
    last_group: float | None = None


def list_numbers(text: str) -> list[Number]:
    """Return the numbers of a lower-case text with «е» for «ё», in their order."""
    return list(_join(text, list(_list_tokens(text))))


def _list_tokens(text: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(text):
        kind, start, end = str(match.lastgroup), match.start(), match.end()
        if kind == "figure":
            yield _read_figure(match)
        elif kind == "half":
            yield _Token(kind, 0.5, start, end)
        elif kind in _SCALES:
            yield _Token("scale", _MILLION if match[0] == "кк" else _SCALES[kind], start, end)
        elif kind == "word" and (read := read_number_word(match[0])) is not None:
            yield _Token(read[0], read[1], start, end)


def _read_figure(match: re.Match[str]) -> _Token:
    groups = _GROUPS.split(match[0])
    joined = "".join(groups)
    if len(groups) == 1 and re.fullmatch(r"\d{1,3}(?:\.\d{3})+", joined):
        joined = joined.replace(".", "")
    last = float(groups[-1]) if len(groups) > 1 and groups[-1].isdecimal() else None
    joined = joined.replace(",", ".")
    value = float(joined if joined.count(".") < 2 else joined.replace(".", ""))
    return _Token("figure", value, match.start(), match.end(), last)


@lru_cache(maxsize=5_000)
def read_number_word(word: str) -> tuple[str, float] | None:
    """Return the kind and value of a number word in any case; None for another word."""
    for parse in parse_word(word):
        lemma = parse.normal_form.replace("ё", "е")
        if lemma in _WORD_VALUES and ("NUMR" in parse.tag or lemma == "ноль"):
            return "cardinal", _WORD_VALUES[lemma]
        if lemma == "один":
            return "one", 1.0
        if lemma in _NOUNS:
            return "cardinal", _NOUNS[lemma]
        if lemma in _ORDINAL_WORDS and "Anum" in parse.tag:
            return "ordinal", _ORDINAL_WORDS[lemma]
    return None


def _join(text: str, tokens: Sequence[_Token]) -> Iterator[Number]:
    place = 0
    while place < len(tokens):
        if tokens[place].kind == "half" or not _may_begin(text, tokens[place]):
            place += 1
            continue
        reader = _Reader(tokens[place])
        place += 1
        while place < len(tokens) and _is_next(text, reader.end, tokens[place]):
            if not reader.take(tokens[place]):
                break
            place += 1
        number = reader.number
        if number.is_ordinal and text[number.end - 2 : number.end] in ("ая", "ую"):
            number = replace(number, is_ordinal=False)  # «девятая» is a model
        suffix = _FIGURE_ORDINAL.match(text, number.end) if not number.is_worded else None
        yield replace(number, is_ordinal=True, end=suffix.end()) if suffix else number


def _may_begin(text: str, token: _Token) -> bool:
    """Return whether a token may begin a number: «тысяча» may, «тыс» and «одна» may not."""
    if token.kind == "one":
        return False
    return token.kind != "scale" or text[token.start : token.end] in _LONE_SCALES


def _is_next(text: str, end: int, token: _Token) -> bool:
    gap = _GAP.match(text, end)
    return gap is not None and gap.end() == token.start


class _Reader:
    """Adds up the tokens of one number."""

    def __init__(self, first: _Token) -> None:
        self._first = first
        self._total = 0.0
        self._group: float | None = first.value
        self._scale = 0.0
        if first.kind == "scale":
            self._total, self._group, self._scale = first.value, None, first.value
        self._is_worded = first.kind != "figure"
        self._is_ordinal = first.kind == "ordinal"
        self._last_group = first.last_group
        self.end = first.end

    @property
    def number(self) -> Number:
        """The number read so far. «Миллион триста» is 1,300,000."""
        group = self._group or 0.0
        is_short = self._scale == _MILLION and group < _THOUSAND
        return Number(
            self._total + (group * _THOUSAND if is_short else group),
            self._first.start,
            self.end,
            has_scale=bool(self._scale),
            is_ordinal=self._is_ordinal,
            is_worded=self._is_worded,
            last_group=self._last_group,
        )

    def take(self, token: _Token) -> bool:
        """Take the next token into the number; False if it begins another one."""
        if self._is_ordinal:
            return False
        taken = {
            "scale": self._take_scale,
            "half": self._take_half,
            "figure": self._take_figure,
            "cardinal": self._take_word,
            "ordinal": self._take_word,
            "one": self._take_word,
        }[token.kind](token.value)
        if taken:
            self.end, self._last_group = token.end, None
            self._is_ordinal = token.kind == "ordinal"
        return taken

    def _take_scale(self, scale: float) -> bool:
        if self._group is None or (self._scale and scale >= self._scale):
            return False
        self._total += self._group * scale
        self._group, self._scale = None, scale
        return True

    def _take_half(self, half: float) -> bool:
        if self._group is None:
            self._total += half * self._scale
        else:
            self._group += half
        return True

    def _take_figure(self, value: float) -> bool:
        """Take «500» after «5 тысяч»."""
        if self._group is not None or not 100 <= value < self._scale:
            return False
        self._group = value
        return True

    def _take_word(self, value: float) -> bool:
        group = self._group
        if group is None:
            if not value < self._scale:
                return False
            self._group = value
        elif self._is_worded and _adds(group, value):
            self._group = group + value
        elif self._is_worded and not self._scale and group < 100 <= value < 1000:
            # «Шесть пятьсот» is 6,500.
            self._total, self._group, self._scale = group * _THOUSAND, value, _THOUSAND
        else:
            return False
        return True


def _adds(group: float, value: float) -> bool:
    if value <= 0:
        return False
    if not group:
        return value < 10  # «ноль восьмого»
    return (group % 100 == 0 and value < 100) or (
        group % 10 == 0 and group % 100 > 10 and value < 10
    )
