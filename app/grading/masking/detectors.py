"""Small finders of personal data in a Russian text, most certain first, and of the look-alikes that have to stay.

A finder takes the text with digits and dashes in one spelling (`uniform`), what was found before as NULs, and yields (start, end, key);
equal keys are the same thing written differently.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from app.grading.masking.addresses import HOUSE_PATTERNS, STREET_HINT, STREET_PATTERNS
from app.grading.masking.mailboxes import MAIL_HINT, MAIL_PATTERNS, ZONE
from app.grading.masking.spoken_numbers import spoken_phones

Finder = Callable[[str], Iterator[tuple[int, int, str]]]

# Letters that pass for digits, where they stand among digits: «89О5», «9ОЗ», «l23», «89б3».
_DIGIT_LIKE = {letter: digit for digit, letters in {"0": "ОоOo", "1": "lI|", "3": "Зз", "4": "Чч", "6": "б"}.items() for letter in letters}
_LETTER_DIGITS = re.compile(r"(?<=\d)[ОоOolI|ЗзЧчб]{1,3}(?![^\W\d_])|(?<![^\W\d_])[ОоOolI|ЗзЧчб]{1,3}(?=\d)")
_FOREIGN_DIGIT = re.compile(r"(?![0-9])\d")
_BLANK = re.compile(r"[^\S ]")
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−"), "-")
_FREE = r"(?<![A-Za-z\d])"  # a figure glued to Latin letters is a part number
_END = r"(?![A-Za-z\d])"
_SEP = r"[\s().\-_*\ufe0f\u20e3]{0,4}"  # the last two make a keycap of a digit
_PHONE_END = r"[\ufe0f\u20e3]*(?![A-Za-z\d])"


def uniform(text: str) -> str:
    """The text with any script's digits as 0-9, letters that pass for them too, any dash as "-", any blank as " "; no character moves."""
    plain = _FOREIGN_DIGIT.sub(lambda match: str(unicodedata.decimal(match[0])), _BLANK.sub(" ", text.translate(_DASHES)))
    return _LETTER_DIGITS.sub(lambda match: "".join(_DIGIT_LIKE[letter] for letter in match[0]), plain)


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _finder(pattern: str, key: Callable[[str], str] = _plain, accept: Callable[[str], bool] = lambda _: True) -> Finder:
    """Finds group `v` of the pattern, or all of it, where `accept` takes the value."""
    compiled = re.compile(pattern)
    group = "v" if "v" in compiled.groupindex else 0

    def find(text: str) -> Iterator[tuple[int, int, str]]:
        for match in compiled.finditer(text):
            if accept(match[group]):
                yield *match.span(group), key(match[group])

    return find


def _passes_luhn(text: str) -> bool:
    doubled = [int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(_digits(text)))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


def _passes_snils(text: str) -> bool:
    digits = [int(digit) for digit in _digits(text)]
    return sum(digit * weight for digit, weight in zip(digits[:9], range(9, 0, -1), strict=True)) % 101 % 100 == digits[9] * 10 + digits[10]


def _passes_inn12(text: str) -> bool:
    digits = [int(digit) for digit in text]
    weights = (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
    first = sum(digit * weight for digit, weight in zip(digits[:10], weights[1:], strict=True)) % 11 % 10
    second = sum(digit * weight for digit, weight in zip(digits[:11], weights, strict=True)) % 11 % 10
    return digits[10:] == [first, second] and text[:2] != "00"


def _phone_key(text: str) -> str:
    digits = _digits(text)
    return digits[-10:] if len(digits) == 11 and digits[0] in "78" else digits


def _is_no_size_list(text: str) -> bool:
    """A row of sizes («8 9 10 11 12 13») grows; a phone number does not."""
    numbers = [float(number) for number in re.findall(r"\d+(?:\.\d)?(?!\d)", text)]
    return len(numbers) < 4 or any(after <= before for before, after in pairwise(numbers))


def _phones(pattern: str) -> Finder:
    return _finder(pattern, _phone_key, _is_no_size_list)


_LABELLED = (
    r"(?i:объявлени[ея] (?:номер|№)|лот|артикул|арт\.?|oem|парт-?номер|код товара|id|ид|трек|накладная|imei|sku|vin|штрих-?код)[ №:#-]{1,4}"
)
_CALL = r"(?i:тел|звон|номер|набер|диспетчер|городской)\w*\.?"
_MONEY_OR_KM = r"(?i:₽|руб|р\b|т\.? ?р|тыс|\$|€|км\b)"

_DOCUMENT = r"(?i:паспорт\w*|пасп\.|загран\w*|сери[яиюей]+|сер\.|водительск\w+|в/у|(?<!\w)права|удостоверени\w+|(?<!\w)ву(?!\w))"
_PASSPORT = r"\d{2}[ -]?\d{2}[ ,-]{0,2}(?:(?i:№|n|номер\w{0,2}|ном\.?)[ :]{0,2})?\d{3}[ -]?\d{3}"

_REST_OF_LINK = r"[^\s\0\[\]<>«»\"]*[^\s\0\[\]<>«»\".,;:!?)']"
_MESSENGER = r"(?i:телеграмм?\w{0,2}|телег[аеуи]|тг|tg|telegram|инстаграмм?\w{0,2}|инст[ауе]|instagram|вк|vk|ник|скайп|skype)"
_NICK = (
    r"(?!(?i:whats|viber|telegram|instagram|skype|max\b|vk\b|avito|https?|iphone|samsung|android))"
    r"(?=[\w.]*[a-z])[A-Za-z][\w.]{4,31}(?<!\.)"
)

# (hint, finders): a family is asked only about a text in which its hint stands; most messages have none. None in place of a kind: a
# look-alike; nothing after it may read it as personal data.
FAMILIES: tuple[tuple[re.Pattern[str], tuple[tuple[str | None, Finder], ...]], ...] = (
    (
        re.compile(r"\[геолокация|//|www\.", re.IGNORECASE),
        (
            ("АДРЕС", _finder(r"\[геолокация: (?P<v>[^\]]+)\]")),
            ("ССЫЛКА", _finder(rf"(?i:https?://|www\.){_REST_OF_LINK}")),
        ),
    ),
    (MAIL_HINT, tuple(("ПОЧТА", _finder(pattern)) for pattern in MAIL_PATTERNS)),
    (
        re.compile(r"\.\w|@|[A-Za-z]{3}"),
        (
            ("ССЫЛКА", _finder(rf"(?<![\w@.-])(?:[A-Za-zА-яё0-9-]+\.)+{ZONE}(?![\w-])(?:[/?#]{_REST_OF_LINK})?")),
            ("НИК", _finder(r"(?<![\w@])@[A-Za-z][\w.]{2,31}(?<!\.)")),
            ("НИК", _finder(rf"(?<!\w){_MESSENGER}(?: мой| ник| канал)?[ :-]{{1,3}}(?P<v>{_NICK})")),
        ),
    ),
    (
        re.compile(r"\d(?:[ .-]{0,3}\d){15}"),
        (
            ("СЧЁТ", _finder(rf"{_FREE}(?:30|4[0-2])(?:[ -]?\d){{18}}{_END}", _digits)),
            ("КАРТА", _finder(rf"{_FREE}[2-6]\d{{3}}([ .-]{{0,3}})\d{{4}}\1\d{{4}}\1\d{{4}}{_END}", _digits, _passes_luhn)),
            ("КАРТА", _finder(rf"{_FREE}[2-6](?:[ -]?\d){{15}}(?:(?:[ -]?\d){{2,3}})?{_END}", _digits, _passes_luhn)),
        ),
    ),
    (
        re.compile(r"\d"),
        (
            (None, _finder(rf"(?<!\w){_LABELLED}(?!\+?[78][3-9]\d{{9}}\b)[A-Z\d-]{{5,20}}\b")),
            (None, _finder(rf"(?<![\d+])(?<!\+ )\d{{1,3}}(?:[ .]\d{{3}}){{1,4}} ?{_MONEY_OR_KM}")),
            (None, _finder(r"(?<![\d+])(?<!\+ )\d{1,3}(?: \d{3}){0,3} 000(?!\d)(?![ -]\d\d)")),
            (None, _finder(r"(?<!\d)(?:\d{1,2}\.\d{1,2}\.\d{4}|\d{4}-\d\d-\d\d|\d{1,2}:\d\d(?: ?- ?\d{1,2}:\d\d)?)(?!\d)")),
        ),
    ),
    (
        re.compile(r"\d(?:\D{0,4}\d){4}"),
        (
            ("СНИЛС", _finder(r"(?i:снилс)\D{0,20}(?P<v>\d{3}[ -]?\d{3}[ -]?\d{3}[ -]?\d{2})(?!\d)", _digits)),
            ("СНИЛС", _finder(rf"{_FREE}\d{{3}}[ -]\d{{3}}[ -]\d{{3}}[ -]\d{{2}}{_END}", _digits, _passes_snils)),
            ("ИНН", _finder(r"(?i:(?<![а-яё])инн)\D{0,15}(?P<v>\d{12}|\d{10})(?!\d)", _digits)),
            ("ИНН", _finder(rf"{_FREE}(?<!\+)\d{{12}}{_END}", _digits, _passes_inn12)),
            ("ПАСПОРТ", _finder(rf"{_DOCUMENT}\D{{0,40}}(?P<v>{_PASSPORT})(?!\d)", _digits)),
            ("ПАСПОРТ", _finder(r"(?i:загран\w*)\D{0,40}(?P<v>\d\d[ -]?(?:№ ?)?\d{7})(?!\d)", _digits)),
            ("ПАСПОРТ", _finder(r"(?i:свидетельств\w+)\D{0,40}?(?P<v>(?<!\w)[IVXLC1-9]{1,5}-[А-Я]{2} ?№? ?\d{6})(?!\d)")),
            ("ПАСПОРТ", _finder(rf"(?<!\d)(?P<v>{_PASSPORT})[ ,(-]{{1,3}}{_DOCUMENT}", _digits)),
            ("ТЕЛЕФОН", _phones(rf"(?:\+|(?<!\d)00) ?\d(?:{_SEP}\d){{9,13}}{_PHONE_END}")),
            ("ТЕЛЕФОН", _phones(rf"{_FREE}[78]{_SEP}[3-9](?:{_SEP}\d){{9}}{_PHONE_END}")),
            ("ТЕЛЕФОН", _phones(rf"{_FREE}(?<!\d[ -])(?:375|380|99[2-68])(?:{_SEP}\d){{9}}{_PHONE_END}")),
            ("ТЕЛЕФОН", _phones(rf"{_FREE}\(?[3489]\d\d\)?[ .-]{{1,2}}(?!000)\d{{3}}[ .-]?\d\d[ .-]?\d\d{_END}")),
            ("ТЕЛЕФОН", _phones(rf"{_FREE}(?<![\d,.] )9(?:\d{{9}}|(?:[ .-]\d){{9}}){_END}(?! ?\d)")),
            ("ТЕЛЕФОН", _phones(rf"(?<![\d+])\+?[78]([,/…|~:•·=]{{1,2}})\d{{3}}\1\d{{3}}\1\d\d\1\d\d{_END}")),
            ("ТЕЛЕФОН", _phones(rf"{_CALL}\D{{0,15}}(?<!\d)(?P<v>\d{{1,3}}-\d\d-\d\d)(?![\d-])")),
            ("ТЕЛЕФОН", _phones(rf"{_CALL}\D{{0,12}}(?<!\d)(?P<v>\d{{3}}[ .]\d\d[ .]\d\d)(?! ?\d)")),
        ),
    ),
    (re.compile(""), (("ТЕЛЕФОН", spoken_phones),)),
    (STREET_HINT, tuple(("АДРЕС", _finder(pattern)) for pattern in STREET_PATTERNS)),
    (re.compile(r"\d"), tuple(("АДРЕС", _finder(pattern)) for pattern in HOUSE_PATTERNS)),
)


def personal_data(text: str) -> Iterator[tuple[int, int, str, str]]:
    """(start, end, kind, key) of what is personal in the text; none overlap."""
    rest = uniform(text)
    for hint, finders in FAMILIES:
        if not hint.search(rest):
            continue
        for kind, find in finders:
            found = [(start, end, kind or "", key) for start, end, key in find(rest)]
            if kind is not None:
                yield from found
            rest = blanked(rest, found)


def blanked(text: str, found: Sequence[tuple[int, int, str, str]]) -> str:
    """The text with what was found made unreadable, every other character in its place."""
    if not found:
        return text
    characters = list(text)
    for start, end, _, _ in found:
        characters[start:end] = "\0" * (end - start)
    return "".join(characters)
